#ifndef FILE_CRED_H
#define FILE_CRED_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/* What -c, -C, -k and -S name: certificates, with or without their keys. */

#define CRED_FILE_MAX (16 * 1024 * 1024) /* bytes */

struct cred_pair {
	X509 *cert;
	EVP_PKEY *key; /* NULL: certificate only */
	uint8_t sha1[20], sha256[32];
};

struct cred {
	struct cred_pair *v; /* those with a key come first */
	size_t n;
	size_t nkeys; /* how many have a key */
};

/*
 * Adds what a PKCS#12, PEM or DER file, or records, hold, each password tried;
 * the credential starts as all zero.  Returns 1, or 0 with *w, also when there
 * is no certificate in it, or no certificate with its key although need_key is
 * set.
 */
int cred_load(struct cred *, const char *path, int need_key, struct secrets *,
    struct reason *w);
/* The same from an open descriptor, called name in messages. */
int cred_read(struct cred *, int fd, const char *name, int need_key,
    struct secrets *, struct reason *w);
void cred_free(struct cred *);

/* The pair of the certificate with this SHA-256, or NULL.  Borrowed. */
const struct cred_pair *cred_find0(const struct cred *,
    const uint8_t sha256[32]);

/* Returns 1 if it has as many digits as the thumbprint of a whole SHA-1 or 256. */
int cred_whole_thumbprint(const char *typed);

/*
 * Compares what somebody typed with the SHA-1 and the SHA-256 of the
 * certificate, of which 8 hex digits from the start are enough; blanks, colons
 * and case do not count.  Returns 1 or 0.
 */
int cred_thumbprint(const struct cred_pair *, const char *typed);

/* Reads all of fd, at most max bytes.  NULL with *w, or what the caller frees
 * with OPENSSL_clear_free(). */
uint8_t *cred_slurp(int fd, size_t max, size_t *n, struct reason *w);

#endif
