#ifndef KEY_WINBLOB_H
#define KEY_WINBLOB_H

#include <stddef.h>
#include <stdint.h>

/*
 * PKCS#8 of what an archived key holds: PKCS#8 itself, the CryptoAPI RSA BLOB
 * ([MS-WCCE] 2.2.2.9.1), or a private key BLOB of CNG, RSA with or without the
 * CRT values (2.2.2.9.2, bcrypt.h) or ECC on a NIST curve (2.2.2.9.3).  What
 * is in it is not proven: pkey_prove() does.
 * Returns it in secure memory, *len bytes (OPENSSL_secure_clear_free), or
 * NULL: none of these, or not whole.
 */
uint8_t *winblob_key(const uint8_t *p, size_t n, size_t *len);

#endif
