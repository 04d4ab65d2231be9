#ifndef LOCK_PBE_H
#define LOCK_PBE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "lock/ahead.h"
#include "lock/passform.h"

/*
 * Password-based encryption: PKCS#12 (RFC 7292 appendix B), PBES1, and PBES2
 * with PBKDF2 or scrypt (RFC 8018).
 */

#define KDF_KEY_MAX 1024 /* bytes that a derivation is asked for */

/*
 * Decrypts n bytes, and counts the work (lock/budget.h).  The struct ahead may be
 * NULL.  Returns 1 with *out,
 * *outlen bytes, which the caller frees with OPENSSL_clear_free(); 0: not with
 * this password; -1 with *w: with none (reason "unsupported", "damaged" or
 * "ceiling").
 */
int pbe_decrypt(const X509_ALGOR *, const struct passform *,
    const struct ahead *, const uint8_t *in, size_t n, uint8_t **out,
    size_t *outlen, struct reason *w);

/* Adds what pbe_decrypt() will derive from the form. */
void pbe_ahead(struct ahead *, const X509_ALGOR *);

/* Checks parameters of PBKDF2, and counts its rounds.  1, or 0 with *w. */
int pbe_pbkdf2(const X509_ALGOR *, struct reason *w);

/*
 * Puts the name of an algorithm, with what PBES2 is made of, or its OID where
 * OpenSSL has no name.  Returns dst.
 */
char *pbe_name(char dst[192], const X509_ALGOR *);

/* The NID of an algorithm. */
int pbe_nid(const X509_ALGOR *);

/* The hash of an HMAC, hmacWithSHA1 if alg is NULL.  NULL: not known. */
const EVP_MD *pbe_prf(const X509_ALGOR *alg);

/* The parameters of an algorithm as a structure; the caller frees it, or NULL. */
void *pbe_parameters(const X509_ALGOR *, const ASN1_ITEM *);

#endif
