#ifndef PROVEN_H
#define PROVEN_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "cert.h"
#include "envelope.h"
#include "flat.h"
#include "stream.h"
#include "why.h"

/* What is known of a record before it meets the archive. */
struct proven {
	struct cert *cert; /* NULL: it has none */
	int has_key;
	int own; /* the CA of the archive has issued it */
	const char *format; /* of the key in the archive */
	uint8_t *key; /* in that form, in secure memory; nkey bytes */
	size_t nkey;
	/* by another process in place of it: encrypted to all KRAs */
	uint8_t *locked;
	size_t nlocked;
};

/*
 * Proves the record at hand, and makes its key what the archive keeps; ca may be
 * NULL.  Returns 1, or 0 with *w: it is refused.  Free *p in either case.
 */
int proven_make(struct proven *, const struct stream_in *, X509 *ca,
    struct why *);

/*
 * Encrypts the key to the first so many KRAs of the envelope, and wipes it.
 * Returns 1, or 0 with *w.
 */
int proven_lock(struct proven *, struct envelope *, size_t kras, struct why *);

/* For another process of the same program; the key must be locked. */
void proven_pack(const struct proven *, struct flat *);
void proven_unpack(struct proven *, struct flat *);

void proven_free(struct proven *);

#endif
