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
 * profile (.epf), plain records; DER as base64 and text as UTF-16 too.
 */

/*
 * Reads the n bytes of one file into *l, which is empty; each password is
 * tried on what is locked.  Parts that cannot be read become faults in *l.
 * Returns 1; with nothing in *l then, *w (reason "noted") names what holds no
 * key and no certificate, such as a CRL.  0 with *w when the whole of it
 * cannot be read.
 */
int file_read(const uint8_t *p, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#define FILE_MANY 16 /* files that fill the lanes of lock/lanes.h */

/* One of several files, and what file_read() would say of it. */
struct file_job {
	const uint8_t *p; /* n bytes */
	size_t n;
	const char *first; /* the password to try first, or NULL */
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
