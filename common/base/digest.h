#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hashes of what is no secret, of bytes that are there at once: with contexts
 * that are kept, since to make one costs as much as to hash 300 bytes.
 */
void digest_sha1(uint8_t out[20], const void *, size_t n);
void digest_sha256(uint8_t out[32], const void *, size_t n);

#endif
