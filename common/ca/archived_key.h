#ifndef CA_ARCHIVED_KEY_H
#define CA_ARCHIVED_KEY_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Makes archived keys (ca/agent.h) in quantity: CMS EnvelopedData of RFC 5652
 * section 6.1 from parts that OpenSSL makes once for each agent.  Each time
 * only content key, IV, their encryption and the lengths are new.
 * CMS_encrypt() makes all anew, at the cost of an RSA operation.
 */

struct archived_key;

/* For these agents, in this order, which must outlive it. */
struct archived_key *archived_key_new(STACK_OF(X509) *kras);
void archived_key_free(struct archived_key *);

/*
 * Returns 1 if the two halves of archived_key_make() work: each agent has an
 * RSA key.  An EC key, which ca-init takes with -f, agrees on a key instead.
 */
int archived_key_halves(const struct archived_key *);

/*
 * Encrypts n bytes to count agents in turn, the first of them at `from'.
 * Returns 1 and *der (OPENSSL_free() it), or 0 with *w.
 */
int archived_key_make(struct archived_key *, size_t from, size_t count,
    const uint8_t *in, size_t n, uint8_t **der, size_t *len, struct reason *w);

/*
 * The halves of archived_key_make(), so that one process can encrypt and
 * another choose the agents.  The first gives the content and its key,
 * encrypted (OPENSSL_free() it); the second takes both, for no more agents.
 */
int archived_key_lock(struct archived_key *, size_t from, size_t count,
    const uint8_t *in, size_t n, uint8_t **locked, size_t *len,
    struct reason *w);
int archived_key_close(struct archived_key *, size_t from, size_t count,
    const uint8_t *locked, size_t n, uint8_t **der, size_t *len,
    struct reason *w);

#endif
