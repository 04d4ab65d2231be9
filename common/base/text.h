#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Text from untrusted files: which parts may stand as they are in a record or
 * on a terminal, and which must not.  Source: RFC 3629 (UTF-8), Unicode 15
 * general categories Cc, Cf, Zl, Zp.
 */

/* Text with a length: it may hold any byte. */
struct text {
	const char *s;
	size_t n;
};

/* Returns 1 if both have the same bytes, else 0. */
int text_same(struct text, struct text);

/*
 * Returns how many bytes from the start of s are UTF-8 without control, format
 * or separator characters: n if all are.
 */
size_t text_span(const char *s, size_t n);

/*
 * Puts the code point of the first of the n bytes at s, at least 1, in *cp.
 * Returns the length of this character, or 0 if it is not UTF-8.
 */
size_t text_decode(const char *s, size_t n, uint32_t *cp);

/* Returns 1 if the n bytes at s are well-formed UTF-8, else 0. */
int text_utf8(const char *s, size_t n);

/*
 * Copies the n bytes at s to dst, of size bytes, and ends it with NUL.  Every
 * byte that text_span() stops at becomes \xNN; a text that is cut ends in
 * "...".  Returns dst.
 */
char *text_vis(char *dst, size_t size, const char *s, size_t n);

#endif
