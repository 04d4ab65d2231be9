#ifndef RSA_KEY_H
#define RSA_KEY_H

#include <stddef.h>
#include <stdint.h>

/*
 * RSA keys by their numbers, RFC 8017 appendix A.1, past OpenSSL's providers,
 * whose decoders cost more than all that is done here (PEERS.md 3b).
 */

#define RSA_BITS_MAX 16384

struct rsa_key;

/*
 * Parses RSAPrivateKey DER, all of it: two primes, at most RSA_BITS_MAX.  The
 * private numbers are in secure memory; free it.  NULL: it is none.
 */
struct rsa_key *rsa_key(const uint8_t *der, size_t n);
void rsa_key_free(struct rsa_key *);

/* SHA-256 of its RSAPublicKey.  Returns 1, or 0. */
int rsa_key_id(const struct rsa_key *, uint8_t id[32]);

/* The same of RSAPublicKey DER, all of it, and its bits.  Returns 1, or 0. */
int rsa_public_id(const uint8_t *der, size_t n, uint8_t id[32], int *bits);

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
