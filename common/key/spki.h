#ifndef KEY_SPKI_H
#define KEY_SPKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "key/tlv.h"

/*
 * Public keys: SubjectPublicKeyInfo of RFC 5280 section 4.1.  OpenSSL's
 * X509_PUBKEY decodes the key at once, which is the slow part of a certificate;
 * here the key stays encoded until it is asked for.
 */

struct spki {
	X509_ALGOR *alg;
	ASN1_BIT_STRING *key;
};

/* Returns the parsed part, which the caller frees, or NULL if it is none. */
struct spki *spki_new(const struct tlv_part *);
void spki_free(struct spki *);

/*
 * Gives the algorithm as the records name it, the bits and, unless id is NULL,
 * the identity of the key: SHA-256 of an RSAPublicKey, or of the
 * SubjectPublicKeyInfo with an uncompressed point.  Unlike a hash of the
 * SubjectPublicKeyInfo as it stands, the identity does not depend on how its
 * parameters were written.  Returns 1, or 0 for a kind whose private keys are
 * not read here.
 */
int spki_id(const struct spki *, uint8_t *id, char alg[32], int *bits);

/* Puts the identity of a key that is not RSA in id.  Returns 1, or 0. */
int spki_evp_id(EVP_PKEY *, uint8_t id[32]);

/* Returns 1 for RSA, even if a certificate restricts it to PSS. */
int spki_is_rsa(const ASN1_OBJECT *alg);

/* Returns 1 for EC, DSA and the like, whose arithmetic is always quick. */
int spki_is_small(const ASN1_OBJECT *alg);

#endif
