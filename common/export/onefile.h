#ifndef EXPORT_ONEFILE_H
#define EXPORT_ONEFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"
#include "record/stream_write.h"

/* What p12-extract and epf-extract have in common: one file in, records out. */

struct onefile {
	const char *expected; /* on standard input: "a PKCS#12 file" */
	struct secrets secrets; /* -p */
	struct stream_out out;
	struct findings items; /* what the file holds */
	uint8_t *buf;
	size_t n;
};

/* Adds what -p names.  Exits 2 if it cannot. */
void onefile_secret(struct onefile *, const char *spec);

/*
 * Refuses a terminal, starts the stream, enters the sandbox and reads the
 * file.  Exits 2 if it cannot, or there is nothing.
 */
void onefile_open(struct onefile *);

/* Writes a fault, and says so. */
void onefile_fault(struct onefile *, const struct reason *);

/*
 * Writes all that the file holds; certificates without a key only if all is
 * set, a signing key only if signing is.  Says what is not written.  Returns
 * the exit status: 0, or 1 if something is a fault or nothing was found.
 */
int onefile_write(struct onefile *, int all, int signing);

/* Ends the stream and frees.  Returns the exit status: the one given, or 2. */
int onefile_close(struct onefile *, int status);

#endif
