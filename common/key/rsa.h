#ifndef KEY_RSA_H
#define KEY_RSA_H

#include <stddef.h>
#include <stdint.h>

#include "key/tlv.h"

/*
 * RSA keys by their numbers, RFC 8017 appendix A.1, past OpenSSL's providers,
 * whose decoders cost more than all that is done here (PEERS.md 3b).  The numbers
 * stay where they stand in the DER, which must outlive the key; of BER there is
 * a copy.
 */

#define RSA_BITS_MAX 16384

struct rsa_public {
	struct tlv_part n, e, both; /* both: with their tags and lengths */
	uint8_t *copy;
};

struct rsa_key {
	struct rsa_public pub;
	struct tlv_part d, p, q, dp, dq, qi;
};

/* RSAPublicKey, all of it.  Returns 1, free it, or 0: it is none. */
int rsa_public(struct rsa_public *, const uint8_t *der, size_t n);
void rsa_public_free(struct rsa_public *);

/* Bits of the modulus; SHA-256 of the RSAPublicKey. */
int rsa_public_bits(const struct rsa_public *);
void rsa_public_id(const struct rsa_public *, uint8_t id[32]);

/*
 * RSAPrivateKey, all of it: two primes, at most RSA_BITS_MAX.  Returns 1, free
 * its pub, or 0: it is none.
 */
int rsa_key(struct rsa_key *, const uint8_t *der, size_t n);

/*
 * Returns 1 if it is whole: n = pq and every CRT value, what RFC 8017 section
 * 3.2 says of a valid key, but that p and q are prime.
 */
int rsa_key_whole(const struct rsa_key *);

/*
 * RSA private key BLOB ([MS-WCCE] 2.2.2.9.1), in secure memory, *len its size.
 * NULL: a BLOB cannot hold it (exponent past 32 bits, primes of unlike size).
 */
uint8_t *rsa_key_blob(const struct rsa_key *, size_t *len);

#endif
