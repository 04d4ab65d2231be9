#ifndef RECORD_LOCKBOX_H
#define RECORD_LOCKBOX_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "lock/box.h"

/*
 * The lockbox of kms-record(5): the stream key as CMS EnvelopedData to one
 * certificate (AES-256; RSA-OAEP with SHA-256, or ECDH).
 */

/* Returns 1 with *der, *len bytes (OPENSSL_free() it), or 0 with *w. */
int lockbox_make(X509 *to, const uint8_t key[BOX_KEY], uint8_t **der,
    size_t *len, struct reason *w);

/* Opens it with pk.  Returns 1 with the stream key in key, or 0 with *w. */
int lockbox_open(X509 *cert, EVP_PKEY *pk, const uint8_t *der, size_t len,
    uint8_t key[BOX_KEY], struct reason *w);

#endif
