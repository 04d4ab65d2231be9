#ifndef CA_BUNDLE_H
#define CA_BUNDLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/reason.h"
#include "file/p12_write.h"
#include "record/stream_write.h"

/*
 * Packs recovered keys as one PKCS#12, or as an archive of one for each person.
 * A person is a group and a user.
 */

struct bundle {
	/* set by the caller, before bundle_init() */
	const char *format; /* "tar", "zip", or NULL: one PKCS#12 */
	const char *pass; /* of every file */
	FILE *own; /* if set, gets a password of its own for each file */
	int legacy;
	/* read by the caller */
	unsigned long long keys;
	size_t persons; /* with a key */
	size_t nfiles;
	/* private */
	void *byowner, *byname; /* trees of files */
	struct bundle_file **files;
	FILE *index; /* writes index.tsv into text */
	char *text;
	size_t ntext;
};

/* Exits 2 when memory is full, as all functions here do. */
void bundle_init(struct bundle *);

/*
 * Adds a certificate, with its key unless that is NULL, to the file of its
 * group and user.  The user becomes the friendlyName.  Returns 1, or 0 with *w.
 */
int bundle_add(struct bundle *, const struct stream_rec *, struct reason *w);

/* Calls say() for each person with a key, with a text that is safe to print. */
void bundle_persons(const struct bundle *, void (*say)(const char *person));

/*
 * Writes the password of each file to `own', a line each, and waits until they
 * are on disk.  Returns 1, or 0 with errno.
 */
int bundle_passwords(const struct bundle *);

/* Writes it to stdout.  Returns 1, or 0 with *w.  Exits 2 if output is lost. */
int bundle_write(struct bundle *, struct reason *w);

void bundle_free(struct bundle *);

#endif
