#include "ese/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/fuzzing.h"
#include "base/heap.h"
#include "ese/bytes.h"

#define SEED	      0x89abcdef
#define SMALL_LARGEST 8192 /* bytes of a page of the first format */
#define SMALL_HEAD    40
#define LARGE_HEAD    80
#define NEW_CHECKSUM  0x2000 /* flag of a page */
#define ROOT	      1
#define NODE_DELETED  2
#define NODE_PREFIX   4

int
page_size_ok(uint32_t size)
{
	return size >= PAGE_SMALLEST && size <= PAGE_LARGEST &&
	    (size & (size - 1)) == 0;
}

uint32_t
page_xor(const uint8_t *p, size_t n)
{
	uint32_t x = SEED;
	size_t i;

	for (i = 0; i + 4 <= n; i += 4)
		x ^= le32(p + i);
	return x;
}

/*
 * Returns the checksum of a block since Exchange 2003 SP1: in the lower half
 * the XOR of its words, in the upper a Hamming code, the XOR of the numbers of
 * all set bits, and of their complements.  The number of a bit is that of its
 * row of 16 bytes, of the word in the row, and of the bit in the word.
 */
static uint64_t
block_sum(const uint8_t *p, size_t n, size_t skip)
{
	uint32_t code = 0, x, row;
	uint64_t a, b, all[2] = { 0, 0 };
	uint32_t col[4];
	unsigned i;

	for (row = 0; row < n / 16; row++) {
		a = skip > 16 * row ? 0 : le64(p + 16 * row);
		b = le64(p + 16 * row + 8);
		all[0] ^= a;
		all[1] ^= b;
		if (__builtin_parityll(a ^ b))
			code ^= (~row & 0x1ff) << 23 | row << 7;
	}
	for (i = 0; i < 4; i++) {
		col[i] = (uint32_t)(all[i / 2] >> 32 * (i % 2));
		if (__builtin_parity(col[i]))
			code ^= (~i & 3) << 21 | i << 5;
	}
	x = col[0] ^ col[1] ^ col[2] ^ col[3];
	for (i = 0; i < 32; i++)
		if (x >> i & 1)
			code ^= (~i & 31) << 16 | i;
	code &= (uint32_t)(((uint64_t)n << 19) - 1);
	return (uint64_t)code << 32 | x;
}

/* Checks sums.  A large page is four blocks, three sums behind the header. */
static int
checksum_ok(const struct page *pg, size_t size)
{
	const uint8_t *p = pg->data;
	size_t block = size <= SMALL_LARGEST ? size : size / 4, i;

	if (!(pg->flags & NEW_CHECKSUM))
		return le32(p) == page_xor(p + 4, size - 4) &&
		    le32(p + 4) == pg->number;
	for (i = 0; i < size / block; i++)
		if (le64(i == 0 ? p : p + 32 + 8 * i) !=
		    (block_sum(p + i * block, block, i == 0 ? 8 : 0) ^
			pg->number))
			return 0;
	return 1;
}

static int
is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

int
page_load(struct ese *e, struct page *pg, uint32_t n, struct reason *w)
{
	unsigned tags;

	if (pg->data == NULL && (pg->data = malloc(PAGE_LARGEST)) == NULL)
		heap_nomem();
	pg->number = 0;
	if (n == 0 || n > e->last)
		return reason_set(w, "cut",
		    "page %u is past the end of the file, which has %u: fetch "
		    "it again",
		    n, e->last);
	if (!ese_read(e, ((uint64_t)n + 1) * e->page_size, pg->data,
		e->page_size))
		return reason_set(w, "damaged", "page %u cannot be read", n);
	e->pages++;
	pg->object = le32(pg->data + 24);
	pg->flags = le32(pg->data + 36);
	tags = le16(pg->data + 34) & 0xfff;
	pg->nodes = tags == 0 ? 0 : tags - 1;
	pg->number = n;
	if (!FUZZING && !checksum_ok(pg, e->page_size)) {
		pg->number = 0;
		return is_zero(pg->data, e->page_size) ?
		    reason_set(w, "damaged", "page %u is empty", n) :
		    reason_set(w, "damaged",
			"page %u has a wrong checksum: it is not read", n);
	}
	return 1;
}

/* Gives tag i: its bytes, and their flags.  Tags are at the end of a page. */
static const uint8_t *
tag(const struct ese *e, const struct page *pg, unsigned i, size_t *n,
    unsigned *flags)
{
	int small = e->page_size <= SMALL_LARGEST;
	unsigned mask = small ? 0x1fff : 0x7fff;
	size_t head = small ? SMALL_HEAD : LARGE_HEAD, at;
	size_t end = e->page_size - 4 * ((size_t)pg->nodes + 1);
	const uint8_t *t = pg->data + e->page_size - 4 * ((size_t)i + 1);

	/* 4,095 tags are less than a page of the large ones only */
	if (4 * ((size_t)pg->nodes + 1) > e->page_size - head)
		return NULL;
	*n = le16(t) & mask;
	at = head + (le16(t + 2) & mask);
	if (at > end || *n > end - at)
		return NULL;
	*flags = small ? le16(t + 2) >> 13 :
	    *n >= 2    ? pg->data[at + 1] >> 5 :
			 0;
	return pg->data + at;
}

int
page_node(const struct ese *e, const struct page *pg, unsigned i,
    struct page_node *v)
{
	const uint8_t *p, *first;
	size_t n, nfirst;
	unsigned flags, ignored;

	if ((p = tag(e, pg, i, &n, &flags)) == NULL ||
	    (first = tag(e, pg, 0, &nfirst, &ignored)) == NULL)
		return 0;
	v->deleted = (flags & NODE_DELETED) != 0;
	v->old = !(pg->flags & PAGE_NEW);
	v->prefix = first;
	v->nprefix = 0;
	if (flags & NODE_PREFIX) {
		if (n < 2 || (v->nprefix = le16(p) & 0x1fff) > nfirst ||
		    pg->flags & ROOT)
			return 0;
		p += 2;
		n -= 2;
	}
	if (n < 2 || (v->nsuffix = le16(p) & 0x1fff) > n - 2)
		return 0;
	v->suffix = p + 2;
	v->data = v->suffix + v->nsuffix;
	v->len = n - 2 - v->nsuffix;
	return 1;
}

int
page_key_cmp(const struct page_node *v, const uint8_t *key, size_t n)
{
	size_t k = v->nprefix < n ? v->nprefix : n;
	int c = memcmp(v->prefix, key, k);

	if (c != 0 || v->nprefix > n)
		return c != 0 ? c : 1;
	n -= k;
	key += k;
	k = v->nsuffix < n ? v->nsuffix : n;
	c = memcmp(v->suffix, key, k);
	return c != 0 ? c : (v->nsuffix > n) - (v->nsuffix < n);
}
