#ifndef KEY_PRIVATE_H
#define KEY_PRIVATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/rsa.h"

/*
 * Private keys.  They travel as PKCS#8 PrivateKeyInfo DER (RFC 5208) in secure
 * memory, freed with OPENSSL_secure_clear_free(p, n).
 */

/* A PKCS#8 taken apart. */
struct private
{
	PKCS8_PRIV_KEY_INFO *info;
	struct rsa_private *rsa; /* NULL: another kind */
};

/*
 * Parses n bytes, all of them.  Returns 1, and the caller closes it; or 0 with
 * *w (reason "key", or "unsupported" for an algorithm that is not read here).
 */
int private_open(struct private *, const uint8_t *p8, size_t n,
    struct reason *w);
void private_close(struct private *);

/*
 * Checks that the key is whole (RSA: rsa_whole(); others: both halves work
 * together) and gives the identity of its public key, as spki_id() does.
 * Returns 1, or 0 with *w (reason "key").
 */
int private_whole(const struct private *, uint8_t id[32], struct reason *w);

/* Opens a key, and does what private_whole() does. */
int private_id(const uint8_t *p8, size_t n, uint8_t id[32], struct reason *w);

/*
 * OneAsymmetricKey (RFC 5958 section 2): PKCS#8 of version 1, or of version 2,
 * which OpenSSL 3.0 does not read.  private_mend() makes the first of the second.
 */
DECLARE_ASN1_ITEM(PRIVATE_ANY)

/*
 * What private_open() or private_whole() would refuse, as PKCS#8 that they take:
 * of version 1, and with RSA numbers that are computed anew if they do not fit,
 * and *anew is 1 then.  *len bytes in secure memory.  NULL: it is none of these.
 */
uint8_t *private_mend(const uint8_t *der, size_t n, size_t *len, int *anew);

/* PKCS#8 of a key of OpenSSL, *n bytes in secure memory.  NULL: cannot. */
uint8_t *private_p8(const EVP_PKEY *, size_t *n);

/*
 * PKCS#8 of traditional PKCS#1, SEC 1 or DSA DER, *n bytes in secure memory.
 * NULL: it is none of them.
 */
uint8_t *private_traditional(const uint8_t *der, size_t len, size_t *n);

#endif
