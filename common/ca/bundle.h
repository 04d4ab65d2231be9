#ifndef CA_BUNDLE_H
#define CA_BUNDLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/reason.h"
#include "file/p12_write.h"
#include "record/stream_write.h"

/*
 * Recovered keys as one PKCS#12, or as an archive of one for each person.  A
 * person is a group and a user.
 */

struct bundle {
	/* set by the caller, before bundle_init() */
	const char *format; /* "tar", "zip", or NULL: one PKCS#12 */
	const char *pass; /* of every file */
	FILE *own; /* if set, each file has a password of its own, said here */
	int legacy;
	/* read by the caller */
	unsigned long long keys;
	size_t persons; /* who have a key */
	size_t nfiles;
	/* private */
	void *byowner, *byname; /* trees of files */
	struct bundle_file **files;
	FILE *index; /* of index.tsv, into text */
	char *text;
	size_t ntext;
};

/* Out of memory exits 2, here and below. */
void bundle_init(struct bundle *);

/*
 * Adds a certificate, with its key unless that is NULL, to the file of its
 * group and user, whose name becomes the friendlyName.  Returns 1, or 0 with
 * *w.
 */
int bundle_add(struct bundle *, const struct stream_rec *, struct reason *w);

/* Gives each person who has a key to say(), in words that are safe to print. */
void bundle_persons(const struct bundle *, void (*say)(const char *person));

/*
 * Writes the password of each file to `own', a line each, and waits until that
 * is on the disk.  Returns 1, or 0 (errno tells).
 */
int bundle_passwords(const struct bundle *);

/* Writes all of it to stdout.  Returns 1, or 0 with *w; lost output exits. */
int bundle_write(struct bundle *, struct reason *w);

void bundle_free(struct bundle *);

#endif
