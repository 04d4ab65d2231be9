#ifndef RECOVERY_H
#define RECOVERY_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "cert.h"
#include "cred.h"
#include "why.h"

/*
 * The recovery blob that `certutil -getkey' writes: SignedData of the CA over
 * the archived key, with the user's certificate in it ([MS-CSRA] 3.1.4.2.9),
 * and the private key that an archived key holds.
 */

#define RECOVERY_HASH "1.3.6.1.4.1.311.21.16" /* ARCHIVED_KEY_CERT_HASH */

/*
 * Wraps an archived key (EnvelopedData) for `certutil -recoverkey'; certs of
 * the KRAs go along.  Returns 1 and *der (OPENSSL_free), or 0 with *w.
 */
int recovery_wrap(const struct cred_pair *ca, const struct cert *user,
    STACK_OF(X509) *kras, const uint8_t *blob, size_t n, uint8_t **der,
    size_t *len, struct why *w);

/*
 * Takes a blob apart: the EnvelopedData in *blob (OPENSSL_free) and the
 * certificates in *certs (sk_X509_pop_free); hash receives the SHA-1 of the
 * user's certificate if the blob names it (else *has_hash is 0).  The
 * signature must be that of a certificate of trusted or, if trusted is NULL,
 * of one in the blob.  Returns 1, or 0 with *w.
 */
int recovery_open(const uint8_t *der, size_t len, const struct cred *trusted,
    uint8_t **blob, size_t *n, STACK_OF(X509) **certs, uint8_t hash[20],
    int *has_hash, struct why *w);

/*
 * PKCS#8 of what an archived key held: RSA private key BLOB or PKCS#8.
 * Secure memory, *len its size.  NULL: neither.
 */
uint8_t *recovery_key(const uint8_t *p, size_t n, size_t *len);

#endif
