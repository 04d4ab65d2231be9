#ifndef RECORD_SIGNATURE_H
#define RECORD_SIGNATURE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/* Detached CMS SignedData (RFC 5652 section 5) over part of a line. */

/*
 * Signs n bytes; with_cert puts the certificate into the signature.  Returns 1
 * and *der, *len bytes (OPENSSL_free() it), or 0 with *w.
 */
int signature_make(X509 *cert, EVP_PKEY *key, const void *data, size_t n,
    int with_cert, uint8_t **der, size_t *len, struct reason *w);

/*
 * Checks that the signature is good and was made with the certificate whose
 * SHA-256 is sha256: one of certs or, if certs is NULL, the one in the
 * signature.  There must be exactly one SignerInfo, with SHA-256 or better;
 * chain and expiry are not checked.  Returns 1, with *signer unless signer is
 * NULL (the caller frees it with X509_free()); or 0 with *w.
 */
int signature_check(const uint8_t *der, size_t len, const void *data, size_t n,
    STACK_OF(X509) *certs, const uint8_t sha256[32], X509 **signer,
    struct reason *w);

#endif
