#ifndef FILE_CARVE_H
#define FILE_CARVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "file/findings.h"

/*
 * Searches bytes of an unknown format, such as a database or a disk image, for
 * what is whole and in one piece: DER certificates (RFC 5280 section 4.1),
 * plain PKCS#8 keys (RFC 5208 section 5) and PKCS#12 files.
 */

#define CARVE_TRIES_MAX 10000 /* places that look right and are not */
#define CARVE_P12_MAX	(4 * 1024 * 1024) /* bytes of a PKCS#12 */

struct carve {
	/* set by the caller; takes the findings at each place */
	void (*found)(void *ctx, uint64_t at, struct findings *);
	void *ctx;
	struct secrets *secrets; /* tried on PKCS#12 */
	/* private; zero at first */
	uint8_t *buf; /* bytes that may be the start of something */
	size_t len, cap;
	uint64_t at; /* offset in the file of the first byte in buf */
	unsigned tries;
};

/* Returns 1 if anything in these bytes looks like one of these. */
int carve_may(const uint8_t *p, size_t n);

/* Searches the next n bytes. */
void carve_feed(struct carve *, const uint8_t *p, size_t n);

/*
 * Searches the remaining bytes, and frees.  Returns 1, or 0 if it gave up: more
 * than CARVE_TRIES_MAX places look like something.
 */
int carve_end(struct carve *);

#endif
