#ifndef KEY_PRIVATE_H
#define KEY_PRIVATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/rsa.h"

/*
 * Private keys.  They are passed as PKCS#8 PrivateKeyInfo DER (RFC 5208) in
 * secure memory, freed with OPENSSL_secure_clear_free(p, n).
 */

/* A parsed PKCS#8. */
struct private
{
	PKCS8_PRIV_KEY_INFO *info;
	struct rsa_private *rsa; /* NULL unless it is an RSA key */
};

/*
 * Parses all n bytes.  Returns 1, for the caller to close; or 0 with *w (reason
 * "key", or "unsupported" for an algorithm not read here).
 */
int private_open(struct private *, const uint8_t *p8, size_t n,
    struct reason *w);
void private_close(struct private *);

/*
 * Checks that the key is whole (RSA: rsa_whole(); others: both halves work
 * together) and puts the identity of its public key (spki_id()) in id.  Returns
 * 1, or 0 with *w (reason "key").
 */
int private_whole(const struct private *, uint8_t id[32], struct reason *w);

/* Parses a key, and does as private_whole(). */
int private_id(const uint8_t *p8, size_t n, uint8_t id[32], struct reason *w);

/*
 * OneAsymmetricKey (RFC 5958 section 2): PKCS#8 of version 1, or of version 2,
 * which OpenSSL 3.0 does not read; private_mend() makes version 1 of it.
 */
DECLARE_ASN1_ITEM(PRIVATE_ANY)

/*
 * Mends a key that private_open() or private_whole() would refuse: PKCS#8
 * becomes version 1, and RSA numbers that do not fit are computed again, with
 * *anew 1 then.  Returns *len bytes in secure memory, or NULL if it cannot.
 */
uint8_t *private_mend(const uint8_t *der, size_t n, size_t *len, int *anew);

/* Returns the key as PKCS#8, *n bytes in secure memory; NULL on failure. */
uint8_t *private_p8(const EVP_PKEY *, size_t *n);

/*
 * Returns the PKCS#8 of PKCS#1, SEC 1 or DSA DER, *n bytes in secure memory;
 * NULL if it is none of them.
 */
uint8_t *private_traditional(const uint8_t *der, size_t len, size_t *n);

#endif
