#ifndef KEY_WINBLOB_H
#define KEY_WINBLOB_H

#include <stddef.h>
#include <stdint.h>

#include "key/rsa.h"

/*
 * Private keys as Windows writes them.  Each function returns *len bytes in
 * secure memory, freed with OPENSSL_secure_clear_free(), or NULL.
 */

/*
 * Makes the CryptoAPI RSA BLOB ([MS-WCCE] 2.2.2.9.1) of a key.  NULL: a BLOB
 * cannot hold it (exponent above 32 bits, primes of unequal size).
 */
uint8_t *winblob_new(const struct rsa_private *, size_t *len);

/* Makes PKCS#8 of a CryptoAPI RSA BLOB.  NULL: it is none, or is not whole. */
uint8_t *winblob_capi(const uint8_t *blob, size_t n, size_t *len);

/*
 * Makes PKCS#8 of an archived key: PKCS#8 itself, the CryptoAPI RSA BLOB, or a
 * private key BLOB of CNG, RSA with or without the CRT values ([MS-WCCE]
 * 2.2.2.9.2, bcrypt.h) or ECC on a NIST curve (2.2.2.9.3).  The key is not
 * proven: match_prove() does that.  NULL: it is none of these, or is not whole.
 */
uint8_t *winblob_key(const uint8_t *p, size_t n, size_t *len);

#endif
