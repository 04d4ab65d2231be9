#ifndef KEY_PKEY_H
#define KEY_PKEY_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"

/*
 * Private keys, always as PKCS#8 PrivateKeyInfo DER (RFC 5208) in secure
 * memory, freed with OPENSSL_secure_clear_free(p, n).
 */

/*
 * Checks that the key is whole (RSA: n = pq and every CRT value, RFC 8017
 * section 3.2) and gives the identity of its public key: SHA-256 of the
 * RSAPublicKey, or of the SubjectPublicKeyInfo with uncompressed point.
 * Unlike a hash of the SPKI as it stands it does not depend on how parameters
 * were written.  Returns 1, or 0 with *w (reason "key").
 */
int pkey_id(const uint8_t *p8, size_t n, uint8_t id[32], struct reason *w);

/* SubjectPublicKeyInfo of RFC 5280 section 4.1, its key not looked into. */
struct pkey_public {
	struct tlv_part spki, alg_part;
	X509_ALGOR *alg;
	const uint8_t *key; /* keylen bytes of DER */
	size_t keylen;
	uint8_t *copy; /* of BER, in DER */
};

/* Parses DER, which must outlive it.  Returns 1, free it, or 0: it is none. */
int pkey_public(struct pkey_public *, const struct tlv_part *spki);
void pkey_public_free(struct pkey_public *);

/*
 * Identity of a public key, as pkey_id(), if id is not NULL; algorithm and bits.
 * Returns 1, or 0: none of a kind whose private keys are read here, whatever
 * OpenSSL knows.
 */
int pkey_public_id(const struct pkey_public *, uint8_t *id, char alg[32],
    int *bits);

/*
 * Checks that the key is whole, as pkey_id(), and the one of the certificate.
 * Returns 1, or 0 with *w (reason "key").  If blob is not NULL it gives the
 * BLOB of the key, as rsa_key_blob(), or NULL.
 */
int pkey_prove(const uint8_t *p8, size_t n, const struct cert *, uint8_t **blob,
    size_t *len, struct reason *w);

/* PKCS#8 of a key; secure memory, *n its size.  NULL: cannot. */
uint8_t *pkey_p8(const EVP_PKEY *, size_t *n);

/* Traditional PKCS#1 or SEC 1 DER as PKCS#8; NULL if it is neither. */
uint8_t *pkey_traditional(const uint8_t *der, size_t len, size_t *n);

/* PKCS#8 of a BLOB, as pkey_p8().  NULL: not a whole BLOB. */
uint8_t *pkey_from_msblob(const uint8_t *blob, size_t len, size_t *n);

#endif
