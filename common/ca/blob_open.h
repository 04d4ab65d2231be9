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
 * the archived key, with the user's certificate in it ([MS-CSRA] 3.1.4.2.9);
 * and the private key in an archived key.
 */

#define BLOB_HASH "1.3.6.1.4.1.311.21.16" /* ARCHIVED_KEY_CERT_HASH */

/* What wraps an archived key for `certutil -recoverkey'. */
struct blob_wrap_ca {
	const struct trust_pair *ca; /* the signer, or NULL */
	const struct trust *all; /* certificates that chains are made of */
	STACK_OF(X509) *agents; /* of the archive */
};

/*
 * Wraps an archived key (EnvelopedData).  As in ICertAdmin2::GetArchivedKey,
 * certificates go along: the user's, the CA's, the rest of their chains, and
 * those of the agents in hashes (KeyRecoveryHashes), to whom it is encrypted.
 * Returns 1 and *der (OPENSSL_free() it), or 0 with *w.
 */
int blob_wrap(const struct blob_wrap_ca *, const struct cert *user,
    const char *hashes, const uint8_t *blob, size_t n, uint8_t **der,
    size_t *len, struct reason *w);

/*
 * Opens a recovery blob with the agent's credential k.  Its signature must be
 * that of a certificate of trusted or, if that is NULL, of one in the blob.
 * The certificate is the one that the blob names or, if none, the one whose key
 * it is and that one of trusted, unless NULL, has issued.  The key is proven
 * against it.  Returns 1 with *p8, PKCS#8 of *n bytes in secure memory
 * (OPENSSL_secure_clear_free() it), and *c (cert_free() it), or 0 with *w.
 */
int blob_open_signed(const struct trust *k, const struct trust *trusted,
    const uint8_t *der, size_t len, uint8_t **p8, size_t *n, struct cert **c,
    struct reason *w);

/* Opens the blob of an `archived' record, signed or bare, in the same way. */
int blob_open_row(const struct trust *k, const struct trust *trusted,
    const struct rec *, uint8_t **p8, size_t *n, struct cert **c,
    struct reason *w);

#endif
