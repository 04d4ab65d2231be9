#ifndef RECORD_TRUST_H
#define RECORD_TRUST_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/* Certificates that are trusted or used, with or without their keys. */

struct trust_pair {
	X509 *cert;
	EVP_PKEY *key; /* NULL: certificate only */
	uint8_t sha1[20], sha256[32];
};

struct trust {
	struct trust_pair *v; /* those with a key come first */
	size_t n;
	size_t nkeys; /* how many have a key */
};

/* Frees all pairs, and empties the list. */
void trust_free(struct trust *);

/* Returns the pair of the certificate with this SHA-256, borrowed, or NULL. */
const struct trust_pair *trust_find0(const struct trust *,
    const uint8_t sha256[32]);

/*
 * Returns 1 if the typed thumbprint has as many digits as a whole SHA-1 or
 * SHA-256, else 0.
 */
int trust_whole_thumbprint(const char *typed);

/*
 * Returns 1 if what was typed is the SHA-1 or SHA-256 of the certificate, or
 * its first 8 hex digits or more.  Blanks, colons and case do not count.
 */
int trust_thumbprint(const struct trust_pair *, const char *typed);

#endif
