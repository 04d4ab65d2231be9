#ifndef CA_BLOB_OPEN_H
#define CA_BLOB_OPEN_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"
#include "record/rec.h"
#include "record/trust.h"

/*
 * The recovery blob that `certutil -getkey' writes: SignedData of the CA over
 * the archived key, with the user's certificate in it ([MS-CSRA] 3.1.4.2.9),
 * and the private key that an archived key holds.
 */

#define BLOB_HASH "1.3.6.1.4.1.311.21.16" /* ARCHIVED_KEY_CERT_HASH */

/* Who wraps an archived key for `certutil -recoverkey'. */
struct blob_wrap_ca {
	const struct trust_pair *ca; /* signs; NULL: nobody does */
	const struct trust *all; /* where certificates of the chains may be */
	STACK_OF(X509) *agents; /* of the archive */
};

/*
 * Wraps an archived key (EnvelopedData).  As ICertAdmin2::GetArchivedKey has
 * it, certificates go along: the user's, the CA's and the rest of their chains,
 * and of the KRAs those in hashes (KeyRecoveryHashes), to whom it is encrypted.
 * Returns 1 and *der (OPENSSL_free), or 0 with *w.
 */
int blob_wrap(const struct blob_wrap_ca *, const struct cert *user,
    const char *hashes, const uint8_t *blob, size_t n, uint8_t **der,
    size_t *len, struct reason *w);

/*
 * Opens a recovery blob with the KRA credential k: its signature must be that
 * of a certificate of trusted or, if trusted is NULL, of one that it carries.
 * The certificate is the one that the blob names or, if it names none, the
 * one whose key it is, and which with trusted one of them must have issued;
 * the key is proven against it.
 * Returns 1 with *p8 (PKCS#8 in secure memory, *n bytes: caller frees with
 * OPENSSL_secure_clear_free) and *c (cert_free), or 0 with *w.
 */
int blob_open_signed(const struct trust *k, const struct trust *trusted,
    const uint8_t *der, size_t len, uint8_t **p8, size_t *n, struct cert **c,
    struct reason *w);

/* The same of an `archived' record, whose blob may be signed or bare. */
int blob_open_row(const struct trust *k, const struct trust *trusted,
    const struct rec *, uint8_t **p8, size_t *n, struct cert **c,
    struct reason *w);

#endif
