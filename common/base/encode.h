#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Bytes as text: hexadecimal, base64 (RFC 4648 section 4), and times. */

/* Writes n bytes as lower-case hex into dst (2n + 1 bytes).  Returns dst. */
char *encode_hex(char *dst, const uint8_t *p, size_t n);

/* Returns the length of n bytes as base64: padded, in one line, without NUL. */
size_t encode_b64_len(size_t n);

/*
 * Decodes slen characters of base64 into dst (3/4 of slen bytes).  Only the one
 * form that RFC 4648 section 4 gives to these bytes is taken.  Returns 1 and
 * the number of bytes in *n, or 0.
 */
int encode_b64_decode(uint8_t *dst, size_t *n, const char *s, size_t slen);

/* Writes a time in UTC as 2001-02-03T04:05:06Z into dst.  Returns dst. */
char *encode_time(char dst[24], const struct tm *);

/* Writes the present time as encode_time() does.  Returns dst. */
char *encode_now(char dst[24]);

#endif
