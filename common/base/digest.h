#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hash n bytes that are no secret.  The contexts are kept from call to call,
 * since making one costs as much as hashing 300 bytes.
 */
void digest_sha1(uint8_t out[20], const void *, size_t n);
void digest_sha256(uint8_t out[32], const void *, size_t n);

#endif
