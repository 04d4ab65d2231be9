#ifndef KEY_RSA_H
#define KEY_RSA_H

#include <openssl/bn.h>
#include <stddef.h>
#include <stdint.h>

/*
 * RSA keys by their numbers (RFC 8017 appendix A.1).  OpenSSL's own way, an
 * EVP_PKEY, goes through its providers, whose decoders cost more than all that
 * is done here (PEERS.md 3b).
 */

#define RSA_BITS_MAX 16384

struct rsa_public {
	BIGNUM *n, *e;
};

struct rsa_private {
	int32_t version;
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
};

/* Parses an RSAPublicKey, all n bytes; free it.  NULL: it is none. */
struct rsa_public *rsa_public_new(const uint8_t *der, size_t n);
void rsa_public_free(struct rsa_public *);

/* The identity of a public key: SHA-256 of the RSAPublicKey in DER. */
void rsa_id(const struct rsa_public *, uint8_t id[32]);

/*
 * Parses an RSAPrivateKey, all n bytes; free it.  NULL: it is none, has more
 * than two primes, or more than RSA_BITS_MAX bits.
 */
struct rsa_private *rsa_private_new(const uint8_t *der, size_t n);
void rsa_private_free(struct rsa_private *);

/*
 * Returns 1 if n = pq and every other number fits, which is what RFC 8017
 * section 3.2 says of a valid key, but that p and q are prime.
 */
int rsa_whole(const struct rsa_private *);

/*
 * Computes dP, dQ and qInv anew, which some writer got wrong, from numbers that
 * fit.  Returns 1 if the key is whole then.
 */
int rsa_mend(struct rsa_private *);

/* RSAPrivateKey, *n bytes; the caller frees it with OPENSSL_free().  NULL: cannot. */
uint8_t *rsa_private_der(const struct rsa_private *, size_t *n);

#endif
