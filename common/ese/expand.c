#include "ese/expand.h"

#include "ese/bytes.h"

/* The scheme, in the upper bits of the first compressed byte. */
enum { SEVEN = 1, SEVEN_WIDE, XPRESS, SCRUBBED, XPRESS9, XPRESS10, LZ4 };

/* Expands characters of 7 bits, each to one byte, or two if wide. */
static int
seven(const uint8_t *p, size_t n, int wide, uint8_t *out, size_t max,
    size_t *len)
{
	size_t total = n < 2 ? 0 : ((p[0] & 7u) + 1 + 8 * (n - 2)) / 7;
	size_t i, o = 0, bit;
	unsigned two;

	if (total > max / (wide ? 2 : 1))
		return 0;
	for (i = 0; i < total; i++) {
		bit = 7 * i;
		two = p[1 + bit / 8];
		if (bit % 8 > 1)
			two |= (unsigned)p[2 + bit / 8] << 8;
		out[o++] = two >> bit % 8 & 0x7f;
		if (wide)
			out[o++] = 0;
	}
	*len = o;
	return 1;
}

/* The input of xpress. */
struct packed {
	const uint8_t *p, *end;
	const uint8_t *half; /* a byte whose upper four bits are to come */
	int cut;
};

/* Reads the next n bytes as a number; 0 at the end of the input. */
static uint32_t
number(struct packed *in, size_t n)
{
	uint32_t v = 0;
	size_t i;

	if ((size_t)(in->end - in->p) < n) {
		in->cut = 1;
		return 0;
	}
	for (i = 0; i < n; i++)
		v |= (uint32_t)*in->p++ << 8 * i;
	return v;
}

/* Reads the length of a match whose lower three bits are given. */
static size_t
match_length(struct packed *in, unsigned low)
{
	size_t n = low;
	unsigned more;

	if (low < 7)
		return n + 3;
	if (in->half != NULL) {
		more = *in->half >> 4;
		in->half = NULL;
	} else {
		in->half = in->p;
		more = number(in, 1) & 15;
	}
	n += more;
	if (more == 15) {
		if ((more = number(in, 1)) < 255)
			return n + more + 3;
		if ((n = number(in, 2)) == 0)
			n = number(in, 4);
		in->cut |= n < 15 + 7;
	}
	return n + 3;
}

static int
xpress(const uint8_t *p, size_t n, uint8_t *out, size_t size)
{
	struct packed in = { p, p + n, NULL, 0 };
	uint32_t flags = 0, match;
	size_t o = 0, off, len;
	int left = 0;

	while (o < size && !in.cut) {
		if (left == 0) {
			flags = number(&in, 4);
			left = 32;
		}
		if (!(flags >> --left & 1)) {
			out[o++] = (uint8_t)number(&in, 1);
			continue;
		}
		match = number(&in, 2);
		off = (match >> 3) + 1;
		len = match_length(&in, match & 7);
		if (off > o || len > size - o)
			return 0;
		for (; len > 0; len--, o++)
			out[o] = out[o - off];
	}
	return !in.cut;
}

int
expand(const uint8_t *p, size_t n, uint8_t *out, size_t max, size_t *len,
    struct reason *w)
{
	static const char *const names[] = { [SCRUBBED] = "scrubbed",
		[XPRESS9] = "xpress9",
		[XPRESS10] = "xpress10",
		[LZ4] = "LZ4" };
	unsigned scheme = n == 0 ? 0 : p[0] >> 3;
	int ok = 0;

	*len = 0;
	if (n == 0)
		return 1;
	if (scheme == SEVEN || scheme == SEVEN_WIDE)
		ok = seven(p, n, scheme == SEVEN_WIDE, out, max, len);
	else if (scheme == XPRESS) {
		*len = n < 3 ? 0 : le16(p + 1);
		ok = n >= 3 && *len <= max && xpress(p + 3, n - 3, out, *len);
	} else if (scheme >= SCRUBBED && scheme <= LZ4)
		return reason_set(w, "unsupported",
		    "it is compressed as %s, which is not read here",
		    names[scheme]);
	return ok || reason_set(w, "damaged", "it does not decompress");
}
