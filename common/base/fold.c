#include "base/fold.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define NOT_UTF8 0x80000000 /* and the byte */
#define AT_END	 0xffffffff

/* The letters U+00C0 to U+017F without their accents. */
static const char latin[] =
    "aaaaaaaceeeeiiiidnooooo?ouuuuytsaaaaaaaceeeeiiiidnooooo?ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/* Small letters of Greek and Cyrillic, each behind its accented form. */
static const wchar_t others[] =
    L"\u03ac\u03b1\u03ad\u03b5\u03ae\u03b7\u03af\u03b9\u03cc\u03bf\u03cd\u03c5"
    L"\u03ce\u03c9\u03ca\u03b9\u03cb\u03c5\u0451\u0435\u0439\u0438\u0453\u0433"
    L"\u0457\u0456\u045c\u043a\u045e\u0443";

/* Takes the next character off the text, or a byte that is not UTF-8. */
static uint32_t
next(struct text *t)
{
	uint32_t cp;
	size_t n;

	if (t->n == 0)
		return AT_END;
	if ((n = text_decode(t->s, t->n, &cp)) == 0) {
		cp = NOT_UTF8 | (unsigned char)*t->s;
		n = 1;
	}
	t->s += n;
	t->n -= n;
	return cp;
}

/* Returns the character without its case. */
static uint32_t
small(uint32_t cp)
{
	wint_t c;

	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp - 'A' + 'a' : cp;
	if (cp > 0x10ffff)
		return cp;
	/* both ways: a final sigma is a sigma */
	c = towlower(towupper((wint_t)cp));
	return c < 0x80 ? cp : (uint32_t)c;
}

int
fold_same(struct text a, struct text b)
{
	uint32_t x, y;

	do {
		x = next(&a);
		y = next(&b);
	} while (x != AT_END && (x == y || small(x) == small(y)));
	return x == y;
}

/* Takes the next character, without case and accent; skips wildcards. */
static uint32_t
next_bare(struct text *t)
{
	const wchar_t *with;
	uint32_t cp;

	do
		cp = next(t);
	while (cp == '*' || cp == '?' || (cp >= 0x300 && cp <= 0x36f));
	if (cp == AT_END)
		return cp;
	if (cp > 0x10ffff)
		cp &= 0xff;
	cp = small(cp);
	if (cp >= 0xc0 && cp < 0xc0 + sizeof(latin) - 1)
		return (uint32_t)latin[cp - 0xc0];
	with = cp > 0x17f ? wcschr(others, (wchar_t)cp) : NULL;
	return with != NULL && (with - others) % 2 == 0 ? (uint32_t)with[1] :
							  cp;
}

int
fold_near(struct text a, struct text b)
{
	uint32_t x, y;
	size_t n = 0;

	while ((x = next_bare(&a)) == (y = next_bare(&b)) && x != AT_END)
		n++;
	return n > 0 && (x == y || (n > 2 && (x == AT_END || y == AT_END)));
}
