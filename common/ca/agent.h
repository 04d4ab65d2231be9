#ifndef CA_AGENT_H
#define CA_AGENT_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "record/trust.h"

/*
 * Key recovery agents: who may be one, and the archived key, which is CMS
 * EnvelopedData to their certificates ([MS-WCCE] 3.2.2.6.2.1.3).
 */

#define AGENT_EKU      "1.3.6.1.4.1.311.21.6" /* [MS-WCCE] 2.2.3.1 */
#define AGENT_EKU_DER  "\x2b\x06\x01\x04\x01\x82\x37\x15\x06"
#define AGENT_BITS_MIN 2048

/* Returns 1 if a certificate's extended key usage is that of an agent. */
int agent_is(X509 *);

/*
 * Returns 1 if the certificate may be an agent's: issued by ca (not checked if
 * NULL), EKU, keyEncipherment, RSA of 2048 bits or more, valid today; or 0 with
 * *w (reason "kra").
 */
int agent_check(X509 *, X509 *ca, struct reason *w);

/* Returns 1 if anything at all can be encrypted to it, or 0 with *w. */
int agent_usable(X509 *, struct reason *w);

/*
 * Encrypts n bytes to the certificates as a Windows CA does: AES-256-CBC, RSA
 * PKCS#1 v1.5, recipients by issuer and serial number.  Returns 1 and *der
 * (OPENSSL_free() it), or 0 with *w.
 */
int agent_encrypt(STACK_OF(X509) *agents, const uint8_t *in, size_t n,
    uint8_t **der, size_t *len, struct reason *w);

/*
 * Returns 1 if the archived key is encrypted to exactly those of the
 * certificates whose SHA-1 is in hashes, in hex, blanks between; or 0 with *w.
 */
int agent_locked_to(STACK_OF(X509) *agents, const uint8_t *der, size_t len,
    const char *hashes, struct reason *w);

/*
 * Returns the SHA-1 of the certificates that the archived key is encrypted to,
 * in hex, separated by blanks.  The caller frees it.
 */
char *agent_hashes_of(STACK_OF(X509) *agents, const uint8_t *der, size_t len);

/*
 * Opens an archived key with the key of p.  Padding and content errors have one
 * message.  Returns 1 and *out, *n bytes in secure memory (free it with
 * OPENSSL_secure_clear_free()); 0 with *w; or -1 with *w if p is no recipient.
 */
int agent_decrypt(const struct trust_pair *p, const uint8_t *der, size_t len,
    uint8_t **out, size_t *n, struct reason *w);

#endif
