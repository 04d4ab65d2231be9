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
	int ok; /* 0: the record is refused; `why' has the reason */
	struct reason why;
	struct cert *cert; /* NULL: the record has none */
	int has_key;
	int own; /* 1: the archive's CA has issued the certificate */
	const char *format; /* of the key in the archive: MSBLOB or PKCS8 */
	uint8_t *key; /* nkey bytes in secure memory in that format, or NULL */
	size_t nkey;
	uint8_t *locked; /* the key from archived_key_lock(), or NULL */
	size_t nlocked;
};

/*
 * Proves the record at hand, and converts its key to the archive's format.
 * bad: its seal did not open.  ca may be NULL.  The caller frees *p.
 */
void candidate_make(struct candidate *, const struct stream_in *, int bad,
    X509 *ca);

/* Encrypts the key to n agents, and wipes it.  Returns 1, or 0 with *w. */
int candidate_lock(struct candidate *, struct archived_key *, size_t n,
    struct reason *);

/* Write it and read it in another process; its key must be locked. */
void candidate_pack(const struct candidate *, struct wire *);
void candidate_unpack(struct candidate *, struct wire *);

void candidate_free(struct candidate *);

#endif
