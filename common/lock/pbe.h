#ifndef LOCK_PBE_H
#define LOCK_PBE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "lock/ahead.h"
#include "lock/passform.h"

/*
 * Decrypts password-based encryption: PKCS#12 (RFC 7292 appendix B), PBES1, and
 * PBES2 with PBKDF2 or scrypt (RFC 8018).
 */

#define KDF_KEY_MAX 1024 /* bytes of one derivation */

/*
 * Decrypts n bytes, and counts the work (lock/budget.h).  The struct ahead may
 * be NULL.  Returns 1 with *out, *outlen bytes, which the caller frees with
 * OPENSSL_clear_free(); 0 if this password is wrong; or -1 with *w if no
 * password can be right (reason "unsupported", "damaged" or "ceiling").
 */
int pbe_decrypt(const X509_ALGOR *, const struct passform *,
    const struct ahead *, const uint8_t *in, size_t n, uint8_t **out,
    size_t *outlen, struct reason *w);

/* Adds what pbe_decrypt() will derive from the form. */
void pbe_ahead(struct ahead *, const X509_ALGOR *);

/*
 * Checks PBKDF2's parameters, and counts the rounds of a key of len bytes: 0 if
 * none is derived now.  Returns 1, or 0 with *w.
 */
int pbe_pbkdf2(const X509_ALGOR *, size_t len, struct reason *w);

/*
 * Writes the name of an algorithm, with the parts of PBES2, or its OID if
 * OpenSSL has no name, to dst.  Returns dst.
 */
char *pbe_name(char dst[192], const X509_ALGOR *);

/* Returns the NID of an algorithm. */
int pbe_nid(const X509_ALGOR *);

/* Returns the hash of an HMAC (hmacWithSHA1 if alg is NULL), or NULL. */
const EVP_MD *pbe_prf(const X509_ALGOR *alg);

/* Returns parameters as a struct, for the caller to free, or NULL. */
void *pbe_parameters(const X509_ALGOR *, const ASN1_ITEM *);

#endif
