#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes as text: lower-case hexadecimal, and base64 of RFC 4648 section 4. */

/* Writes the n bytes at p as hex into dst (2n + 1 bytes).  Returns dst. */
char *encode_hex(char *dst, const uint8_t *p, size_t n);

/* The length of n bytes as base64: padded, unbroken, without a NUL. */
size_t encode_b64_len(size_t n);

/*
 * Decodes slen characters of base64 into dst (3/4 of slen bytes).  Only the one
 * form that RFC 4648 section 4 gives to these bytes is taken.  Returns 1 and
 * the number of bytes in *n, or 0.
 */
int encode_b64_decode(uint8_t *dst, size_t *n, const char *s, size_t slen);

#endif
