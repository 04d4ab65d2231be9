#ifndef FILE_TEXTFORM_H
#define FILE_TEXTFORM_H

#include <stddef.h>
#include <stdint.h>

/* Decodes UTF-16, and base64 without PEM; OPENSSL_clear_free() the result. */

/*
 * Returns the text of Windows' "Unicode" (UTF-16 with a byte order mark) as one
 * byte a character, *len bytes.  Returns NULL if it is none, or has a character
 * that one byte cannot hold.
 */
uint8_t *textform_utf16(const uint8_t *p, size_t n, size_t *len);

/*
 * Returns the DER whose base64, without PEM lines, is the n bytes; *len is its
 * length.  Returns NULL if they are none.
 */
uint8_t *textform_base64(const uint8_t *p, size_t n, size_t *len);

#endif
