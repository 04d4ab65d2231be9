#ifndef EXTRACT_H
#define EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "item.h"
#include "secret.h"
#include "stream.h"
#include "why.h"

/* What p12-extract and epf-extract have in common: one file in, records out. */

struct extract {
	const char *expected; /* on standard input: "a PKCS#12 file" */
	struct secrets secrets; /* -p */
	struct stream_out out;
	struct items items; /* what the file holds */
	uint8_t *buf;
	size_t n;
};

/* Adds what -p names.  Exits 2 if it cannot. */
void extract_secret(struct extract *, const char *spec);

/*
 * Refuses a terminal, starts the stream, enters the sandbox and reads the
 * file.  Exits 2 if it cannot, or there is nothing.
 */
void extract_open(struct extract *);

/* Writes a fault, and says so. */
void extract_fault(struct extract *, const struct why *);

/* Writes a certificate, with its key unless it is NULL.  0: a fault instead. */
int extract_put(struct extract *, const struct item *cert,
    const struct item *key);

/* Ends the stream and frees.  Returns the exit status: the one given, or 2. */
int extract_close(struct extract *, int status);

#endif
