#ifndef CA_CANDIDATE_H
#define CA_CANDIDATE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/wire.h"
#include "ca/archived_key.h"
#include "key/cert.h"
#include "record/stream_read.h"

/* What is known of a record before it meets the archive. */
struct candidate {
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
int candidate_make(struct candidate *, const struct stream_in *, X509 *ca,
    struct reason *);

/*
 * Encrypts the key to the first so many KRAs of the envelope, and wipes it.
 * Returns 1, or 0 with *w.
 */
int candidate_lock(struct candidate *, struct archived_key *, size_t kras,
    struct reason *);

/* For another process of the same program; the key must be locked. */
void candidate_pack(const struct candidate *, struct wire *);
void candidate_unpack(struct candidate *, struct wire *);

void candidate_free(struct candidate *);

#endif
