#ifndef KEY_WINBLOB_H
#define KEY_WINBLOB_H

#include <stddef.h>
#include <stdint.h>

#include "key/rsa.h"

/*
 * Private keys as Windows writes them.  All are in secure memory, *len bytes,
 * freed with OPENSSL_secure_clear_free().
 */

/*
 * The CryptoAPI RSA BLOB ([MS-WCCE] 2.2.2.9.1) of a key.  NULL: a BLOB cannot
 * hold it (exponent past 32 bits, primes of unlike size).
 */
uint8_t *winblob_new(const struct rsa_private *, size_t *len);

/* PKCS#8 of a CryptoAPI RSA BLOB.  NULL: it is none, or not whole. */
uint8_t *winblob_capi(const uint8_t *blob, size_t n, size_t *len);

/*
 * PKCS#8 of what an archived key holds: PKCS#8 itself, the CryptoAPI RSA BLOB,
 * or a private key BLOB of CNG, RSA with or without the CRT values ([MS-WCCE]
 * 2.2.2.9.2, bcrypt.h) or ECC on a NIST curve (2.2.2.9.3).  The key in it is
 * not proven: match_prove() does that.  NULL: none of these, or not whole.
 */
uint8_t *winblob_key(const uint8_t *p, size_t n, size_t *len);

#endif
