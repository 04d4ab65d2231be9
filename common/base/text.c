#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int
text_same(struct text a, struct text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.s, b.s, a.n) == 0);
}

/* Cc, Cf, Zl and Zp past ASCII, in order. */
static const struct {
	uint32_t lo, hi;
} unsafe[] = {
	{ 0x80, 0x9f },
	{ 0xad, 0xad },
	{ 0x600, 0x605 },
	{ 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },
	{ 0x70f, 0x70f },
	{ 0x890, 0x891 },
	{ 0x8e2, 0x8e2 },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0001, 0xe007f },
};

size_t
text_decode(const char *text, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t i, len;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	*cp = s[0] & (0xff >> (len + 1));
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff ||
	    (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

static int
is_unsafe(uint32_t cp)
{
	size_t i;

	if (cp < 0x80)
		return cp < 0x20 || cp == 0x7f;
	for (i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (cp <= unsafe[i].hi)
			return cp >= unsafe[i].lo;
	return 0;
}

/* Returns how many bytes from the start of s are printable ASCII, in eights. */
static size_t
plain(const char *s, size_t n)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t x;
	size_t i;

	for (i = 0; i + sizeof(x) <= n; i += sizeof(x)) {
		memcpy(&x, s + i, sizeof(x));
		/* past ASCII, below 0x20, or 0x7f: the high bit comes up */
		if (((x | (x - 0x20 * ones) | (x + ones)) & 0x80 * ones) != 0)
			break;
	}
	return i;
}

size_t
text_span(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t i = plain(s, n), len;
	uint32_t cp;

	while (i < n) {
		if (p[i] >= 0x20 && p[i] < 0x7f) {
			i++;
			continue;
		}
		len = text_decode(s + i, n - i, &cp);
		if (len == 0 || is_unsafe(cp))
			break;
		i += len;
	}
	return i;
}

int
text_utf8(const char *s, size_t n)
{
	size_t i, len;
	uint32_t cp;

	for (i = 0; i < n; i += len) {
		len = text_decode(s + i, n - i, &cp);
		if (len == 0)
			return 0;
	}
	return 1;
}

char *
text_vis(char *dst, size_t size, const char *s, size_t n)
{
	size_t i = 0, o = 0, len;
	char piece[5];

	while (i < n) {
		len = text_span(s + i, n - i);
		/* whole characters only, room for "..." and NUL kept */
		while (len > 0 && o + len + 4 > size)
			do
				len--;
			while (len > 0 && (s[i + len] & 0xc0) == 0x80);
		if (len > 0) {
			memcpy(dst + o, s + i, len);
		} else if (o + 8 <= size && text_span(s + i, n - i) == 0) {
			(void)snprintf(piece, sizeof(piece), "\\x%02x",
			    (unsigned char)s[i]);
			memcpy(dst + o, piece, 4);
			i++;
			o += 4;
			continue;
		} else {
			memcpy(dst + o, "...", 3);
			o += 3;
			break;
		}
		i += len;
		o += len;
	}
	dst[o] = '\0';
	return dst;
}
