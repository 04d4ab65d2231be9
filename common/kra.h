#ifndef KRA_H
#define KRA_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "cred.h"
#include "why.h"

/*
 * Key recovery agents: who may be one, and the archived key, which is CMS
 * EnvelopedData to their certificates ([MS-WCCE] 3.2.2.6.2.1.3).
 */

#define KRA_EKU	     "1.3.6.1.4.1.311.21.6" /* [MS-WCCE] 2.2.3.1 */
#define KRA_BITS_MIN 2048

/*
 * Returns 1 if the certificate may be a KRA's: issued by ca (not checked if
 * NULL), EKU, keyEncipherment, RSA of 2048 bits or more, valid today; or 0
 * with *w (reason "kra").
 */
int kra_check(X509 *, X509 *ca, struct why *w);

/* Returns 1 if something can be encrypted to it at all, or 0 with *w. */
int kra_usable(X509 *, struct why *w);

/*
 * Encrypts n bytes to the certificates: AES-256-CBC, RSA PKCS#1 v1.5,
 * recipients by issuer and serial number, as a Windows CA does.
 * Returns 1 and *der (OPENSSL_free), or 0 with *w.
 */
int kra_encrypt(STACK_OF(X509) *kras, const uint8_t *in, size_t n,
    uint8_t **der, size_t *len, struct why *w);

/*
 * Returns 1 if the archived key is encrypted to those of the certificates whose
 * SHA-1 are named, in hex and apart by blanks, and to nobody else; or 0 with *w.
 */
int kra_locked_to(STACK_OF(X509) *kras, const uint8_t *der, size_t len,
    const char *hashes, struct why *w);

/*
 * Opens an archived key with the key of p.  Padding and content errors are one
 * message.  Returns 1 and *out in secure memory (*n bytes, to be freed with
 * OPENSSL_secure_clear_free), 0 with *w, or -1 with *w: p is no recipient.
 */
int kra_decrypt(const struct cred_pair *p, const uint8_t *der, size_t len,
    uint8_t **out, size_t *n, struct why *w);

#endif
