#ifndef FILE_TEXTFORM_H
#define FILE_TEXTFORM_H

#include <stddef.h>
#include <stdint.h>

/* Forms of text that a file may stand in: UTF-16, and base64 without PEM. */

/*
 * The text of Windows' "Unicode" (UTF-16 with a byte order mark) as one byte a
 * character; *len is its length.  NULL if the n bytes are nothing of the kind,
 * or have a character that one byte cannot hold.
 */
uint8_t *textform_utf16(const uint8_t *p, size_t n, size_t *len);

/*
 * The DER that the n bytes are the base64 of, without the lines of PEM around
 * it; *len is its length.  NULL if they are not.
 */
uint8_t *textform_base64(const uint8_t *p, size_t n, size_t *len);

/* The caller frees what each returns with OPENSSL_clear_free(p, *len). */

#endif
