#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/*
 * Recognises what a file is by its content, never by its name, and takes its
 * keys and certificates out: PKCS#12, PEM, DER certificate, PKCS#8 (plain and
 * encrypted), PKCS#1, SEC 1, PKCS#7 certificate bag, Entrust and Outlook
 * profile (.epf), plain records; also DER in base64 and text in UTF-16.
 */

/*
 * Reads the n bytes of one file into *l, which is empty, and tries each
 * password on what is locked.  Parts that cannot be read become faults in *l.
 * Returns 1; if *l stays empty, *w (reason "noted") names what holds no key and
 * no certificate, such as a CRL.  Returns 0 with *w if none of it can be read.
 */
int file_read(const uint8_t *p, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#define FILE_MANY 16 /* files that fill the lanes of lock/lanes.h */

/* One of several files, and the result of file_read() for it. */
struct file_job {
	const uint8_t *p; /* n bytes */
	size_t n;
	const char *first; /* password to try first, or NULL */
	int ok; /* what file_read() would return */
	struct findings l; /* empty at first */
	struct reason why;
};

/*
 * Reads n files, at most FILE_MANY, in this order.  What most of them will
 * derive from a password is derived side by side.
 */
void file_read_many(struct file_job *, size_t n, struct secrets *);

#endif
