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
	int ok; /* 0: the record is refused, for the reason `why' */
	struct reason why;
	struct cert *cert; /* NULL: the record has none */
	int has_key;
	int own; /* the CA of the archive has issued the certificate */
	const char *format; /* of the key in the archive */
	uint8_t *key; /* in that format, nkey bytes of secure memory, or NULL */
	size_t nkey;
	uint8_t *locked; /* the key as archived_key_lock() gives it, or NULL */
	size_t nlocked;
};

/*
 * Proves the record at hand, and makes its key what the archive keeps.  bad
 * tells that the seal did not open; ca may be NULL.  Caller frees *p.
 */
void candidate_make(struct candidate *, const struct stream_in *, int bad,
    X509 *ca);

/* Encrypts the key to the first n agents, and wipes it.  1, or 0 with *w. */
int candidate_lock(struct candidate *, struct archived_key *, size_t n,
    struct reason *);

/* From a fork to its parent; the key must be locked. */
void candidate_pack(const struct candidate *, struct wire *);
void candidate_unpack(struct candidate *, struct wire *);

void candidate_free(struct candidate *);

#endif
