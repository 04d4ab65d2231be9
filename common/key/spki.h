#ifndef KEY_SPKI_H
#define KEY_SPKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "key/tlv.h"

/*
 * Public keys: SubjectPublicKeyInfo of RFC 5280 section 4.1.  OpenSSL's
 * X509_PUBKEY decodes the key in it at once, which is the slow part of a
 * certificate; here it stays as it is until somebody asks for it.
 */

struct spki {
	X509_ALGOR *alg;
	ASN1_BIT_STRING *key;
};

/* Parses it; the caller frees it.  NULL: it is none. */
struct spki *spki_new(const struct tlv_part *);
void spki_free(struct spki *);

/*
 * Gives the algorithm as the records name it, the bits and, if id is not NULL,
 * the identity of the key: SHA-256 of an RSAPublicKey, or of the
 * SubjectPublicKeyInfo with uncompressed point.  Unlike a hash of the
 * SubjectPublicKeyInfo as it stands, the identity does not depend on how its
 * parameters were written.  Returns 1, or 0: no kind whose private keys are
 * read here, whatever OpenSSL knows.
 */
int spki_id(const struct spki *, uint8_t *id, char alg[32], int *bits);

/* The identity of a key that is not RSA.  Returns 1, or 0. */
int spki_evp_id(EVP_PKEY *, uint8_t id[32]);

/* Returns 1 for RSA, also where a certificate restricts it to PSS. */
int spki_is_rsa(const ASN1_OBJECT *alg);

/* Returns 1 for EC, DSA and the like: their arithmetic is always quick. */
int spki_is_small(const ASN1_OBJECT *alg);

#endif
