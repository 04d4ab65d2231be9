#ifndef KEY_RSA_H
#define KEY_RSA_H

#include <openssl/bn.h>
#include <stddef.h>
#include <stdint.h>

/*
 * RSA keys as numbers (RFC 8017 appendix A.1), freed by the caller.  OpenSSL's
 * EVP_PKEY goes through decoders that cost more than all this (PEERS.md 3b).
 */

#define RSA_BITS_MAX 16384

struct rsa_public {
	BIGNUM *n, *e;
};

struct rsa_private {
	int32_t version;
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
};

/* Parses an RSAPublicKey, all n bytes.  Returns NULL if it is none. */
struct rsa_public *rsa_public_new(const uint8_t *der, size_t n);
void rsa_public_free(struct rsa_public *);

/* Puts the SHA-256 of the RSAPublicKey in DER, its identity, in id. */
void rsa_id(const struct rsa_public *, uint8_t id[32]);

/*
 * Parses an RSAPrivateKey, all n bytes.  Returns NULL if it is none, has more
 * than two primes, or more than RSA_BITS_MAX bits.
 */
struct rsa_private *rsa_private_new(const uint8_t *der, size_t n);
void rsa_private_free(struct rsa_private *);

/*
 * Returns 1 if n = pq and the other numbers fit, as RFC 8017 section 3.2 says
 * of a valid key, else 0.  Whether p and q are prime is not checked.
 */
int rsa_whole(const struct rsa_private *);

/*
 * Computes dP, dQ and qInv, which some writers got wrong, from the other
 * numbers.  Returns 1 if the key is whole then, else 0.
 */
int rsa_mend(struct rsa_private *);

/* Returns its DER, *n bytes: OPENSSL_free() it.  Returns NULL on failure. */
uint8_t *rsa_private_der(const struct rsa_private *, size_t *n);

#endif
