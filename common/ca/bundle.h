#ifndef CA_BUNDLE_H
#define CA_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "file/p12_write.h"
#include "key/cert.h"

/* Recovered keys as one PKCS#12, or as an archive of one for each user. */

struct bundle {
	const char *format; /* "tar", "zip", or NULL: one PKCS#12 */
	const char *pass; /* of every file */
	int legacy;
	unsigned long long keys;
	int mixed; /* keys of several users are in one file */
	/* own */
	uint8_t first[32]; /* owner of the first key of one PKCS#12 */
	void *byowner, *byname; /* trees of files */
	struct bundle_file **files;
	size_t nfiles;
};

/*
 * Adds a certificate, with its key (PKCS#8) unless p8 is NULL, for this user,
 * whose name becomes the friendlyName; both have a NUL behind their end.
 * Returns 1, or 0 with *w.
 */
int bundle_add(struct bundle *, struct text group, struct text user,
    const struct cert *, const uint8_t *p8, size_t p8len, struct reason *w);

/* Writes all of it to stdout.  Returns 1, or 0 with *w; lost output exits. */
int bundle_write(struct bundle *, struct reason *w);

void bundle_free(struct bundle *);

#endif
