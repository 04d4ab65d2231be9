#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Text from files that nobody vouches for: what may stand raw in a record or
 * on a terminal, and what must not.  Source: RFC 3629 (UTF-8), Unicode 15
 * general categories Cc, Cf, Zl, Zp.
 */

/* Text whose length counts: it may hold any byte. */
struct text {
	const char *s;
	size_t n;
};

/* Are the bytes of the two the same? */
int text_same(struct text, struct text);

/*
 * Returns the number of bytes, from the start of s, that are UTF-8 without
 * control, format or separator characters: n if all of it is.
 */
size_t text_span(const char *s, size_t n);

/*
 * The first character of the n bytes at s, which are 1 or more, as its code
 * point in *cp.  Returns the length of it, or 0 if that is not UTF-8.
 */
size_t text_decode(const char *s, size_t n, uint32_t *cp);

/* Returns 1 if the n bytes at s are well-formed UTF-8, else 0. */
int text_utf8(const char *s, size_t n);

/*
 * Copies n bytes at s to dst (size bytes, always NUL-terminated), writing
 * every byte that text_span() stops at as \xNN; a text that is cut ends in
 * "...".  Returns dst.
 */
char *text_vis(char *dst, size_t size, const char *s, size_t n);

#endif
