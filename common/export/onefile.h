#ifndef EXPORT_ONEFILE_H
#define EXPORT_ONEFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"
#include "record/stream_write.h"

/* What p12-extract and epf-extract share: one file in, records out. */

struct onefile {
	const char *expected; /* on standard input: "a PKCS#12 file" */
	struct secrets secrets; /* -p */
	struct stream_out out;
	struct findings items; /* what the file holds */
	uint8_t *buf;
	size_t n;
};

/* Adds the passwords of -p.  Exits 2 on failure. */
void onefile_secret(struct onefile *, const char *spec);

/*
 * Refuses a terminal, starts the stream, enters the sandbox and reads the file.
 * Exits 2 on failure, or if the input is empty.
 */
void onefile_open(struct onefile *);

/* Writes a fault, and prints it. */
void onefile_fault(struct onefile *, const struct reason *);

/*
 * Writes all that the file holds, but certificates without a key only if all is
 * set, and signing keys only if signing is set; prints what it leaves out.
 * Returns the exit status: 0, or 1 for a fault or if nothing was found.
 */
int onefile_write(struct onefile *, int all, int signing);

/* Ends the stream and frees.  Returns the given exit status, or 2. */
int onefile_close(struct onefile *, int status);

#endif
