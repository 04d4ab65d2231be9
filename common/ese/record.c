#include "ese/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "ese/bytes.h"

/* in the entry of a tagged column */
#define OLD_LENGTH    0xfff
#define OLD_LONG      0x8000 /* a byte of flags comes first */
#define OLD_ELSEWHERE 1
#define DERIVED_OLD   0x2000 /* the column is one of the template */
#define NULL_OLD      0x4000
#define SMALL_OFFSET  0x1fff
#define LARGE_OFFSET  0x7fff
#define DERIVED	      0x8000
#define SMALL_FLAGS   0x4000 /* a byte of flags first, as in large pages */
#define SMALL_NULL    0x2000
/* in the byte of flags */
#define COMPRESSED 2
#define ELSEWHERE  4
#define SEVERAL	   8
#define TWO	   0x10
#define IS_NULL	   0x20
#define ENCRYPTED  0x40

static int
broken(struct reason *w, const char *what)
{
	return reason_set(w, "damaged", "the row is not whole: its %s", what);
}

/* Adds a value, unless the catalog does not have its column. */
static void
add(struct record *r, const struct schema_column *c, enum record_form form,
    const uint8_t *p, size_t n)
{
	struct record_field *v;

	if (c == NULL)
		return;
	if (r->n == r->room) {
		r->room = r->room == 0 ? 64 : 2 * r->room;
		if ((v = realloc(r->v, r->room * sizeof(*v))) == NULL)
			heap_nomem();
		r->v = v;
	}
	v = &r->v[r->n++];
	v->column = c;
	v->form = form;
	v->p = p;
	v->n = n;
}

/*
 * Reads fixed columns up to number last, then a bit for each that is NULL,
 * which end where the n bytes do.
 */
static int
fixed(struct record *r, const struct schema_table *t, const uint8_t *p,
    size_t n, unsigned last, struct reason *w)
{
	size_t nulls = (last + 7) / 8, at = 4;
	const struct schema_column *c;
	unsigned i;

	if (last >= SCHEMA_VARIABLE || n < 4 + nulls)
		return broken(w, "fixed columns");
	nulls = n - nulls;
	for (i = 1; i <= last; i++) {
		if ((c = schema_column0(t, i, 0)) == NULL)
			return broken(w,
			    "fixed columns, one is not in the "
			    "catalog");
		if (c->size > nulls - at)
			return broken(w, "fixed columns");
		add(r, c,
		    p[nulls + (i - 1) / 8] >> (i - 1) % 8 & 1 ? RECORD_NULL :
								RECORD_PLAIN,
		    p + at, c->size);
		at += c->size;
	}
	return 1;
}

/* Reads variable columns: where each ends, then all; sets *at behind them. */
static int
variable(struct record *r, const struct schema_table *t, const uint8_t *p,
    size_t n, size_t *at, unsigned count, struct reason *w)
{
	size_t base = *at + 2 * (size_t)count, from = 0, to;
	unsigned i, end;

	if (base > n)
		return broken(w, "variable columns");
	for (i = 0; i < count; i++, from = to) {
		end = le16(p + *at + 2 * (size_t)i);
		to = end & 0x7fff;
		if (to < from || to > n - base)
			return broken(w, "variable columns");
		add(r, schema_column0(t, SCHEMA_VARIABLE + i, 0),
		    end & 0x8000 ? RECORD_NULL : RECORD_PLAIN, p + base + from,
		    to - from);
	}
	*at = base + from;
	return 1;
}

/* Reads tagged columns of Exchange 5.5: identifier, length, value. */
static int
tagged_old(struct record *r, const struct schema_table *t, const uint8_t *p,
    size_t n, struct reason *w)
{
	const struct schema_column *c;
	enum record_form form;
	unsigned flags;
	size_t len;

	for (; n > 0; p += len, n -= len) {
		if (n < 4 || (len = le16(p + 2) & OLD_LENGTH) > n - 4)
			return broken(w, "tagged columns");
		flags = le16(p + 2);
		c = schema_column0(t, le16(p), (flags & DERIVED_OLD) != 0);
		p += 4;
		n -= 4;
		form = flags & NULL_OLD ? RECORD_NULL : RECORD_PLAIN;
		if (form == RECORD_NULL || !(flags & OLD_LONG) || len == 0)
			add(r, c, form, p, len);
		else
			add(r, c, p[0] & OLD_ELSEWHERE ? RECORD_LONG : form,
			    p + 1, len - 1);
	}
	return 1;
}

/* Reads several values of a column: the first tells their start and number. */
static int
several(struct record *r, const struct schema_column *c, unsigned flags,
    const uint8_t *p, size_t n, struct reason *w)
{
	size_t i, count, from, to;
	enum record_form form;

	if (flags & TWO) {
		if (n < 1 || p[0] > n - 1)
			return broken(w, "two values");
		add(r, c, RECORD_PLAIN, p + 1, p[0]);
		add(r, c, RECORD_PLAIN, p + 1 + p[0], n - 1 - p[0]);
		return 1;
	}
	count = n < 2 ? 0 : (le16(p) & 0x7fff) / 2;
	if (count == 0 || 2 * count > n)
		return broken(w, "values");
	for (i = 0; i < count; i++) {
		from = le16(p + 2 * i) & 0x7fff;
		to = i + 1 < count ? le16(p + 2 * i + 2) & 0x7fff : n;
		if (from < 2 * count || from > to || to > n)
			return broken(w, "values");
		form = le16(p + 2 * i) & 0x8000	 ? RECORD_LONG :
		    i == 0 && flags & COMPRESSED ? RECORD_COMPRESSED :
						   RECORD_PLAIN;
		add(r, c, form, p + from, to - from);
	}
	return 1;
}

/* Reads the value of a tagged column behind its byte of flags. */
static int
flagged(struct record *r, const struct schema_column *c, const uint8_t *p,
    size_t n, struct reason *w)
{
	unsigned flags;

	if (n == 0)
		return broken(w, "tagged columns");
	flags = *p++;
	n--;
	if (flags & IS_NULL)
		add(r, c, RECORD_NULL, p, 0);
	else if (flags & ENCRYPTED)
		add(r, c, RECORD_ENCRYPTED, p, n);
	else if (flags & SEVERAL)
		return several(r, c, flags, p, n, w);
	else
		add(r, c,
		    flags & ELSEWHERE	   ? RECORD_LONG :
			flags & COMPRESSED ? RECORD_COMPRESSED :
					     RECORD_PLAIN,
		    p, n);
	return 1;
}

/*
 * Reads tagged columns: identifier and offset of each, the first of which tells
 * how many they are; then all of them.
 */
static int
tagged(struct record *r, const struct ese *e, const struct schema_table *t,
    const uint8_t *p, size_t n, struct reason *w)
{
	int small = e->page_size <= 8192;
	unsigned mask = small ? SMALL_OFFSET : LARGE_OFFSET, at;
	size_t i, all, from, to;
	const struct schema_column *c;

	all = n < 4 ? 0 : le16(p + 2) & mask;
	if (n != 0 && (all == 0 || all % 4 != 0 || all > n))
		return broken(w, "tagged columns");
	for (i = 0; i < all; i += 4) {
		at = le16(p + i + 2);
		from = at & mask;
		to = i + 4 < all ? le16(p + i + 6) & mask : n;
		if (from < all || from > to || to > n)
			return broken(w, "tagged columns");
		c = schema_column0(t, le16(p + i), (at & DERIVED) != 0);
		if (small && at & SMALL_NULL)
			add(r, c, RECORD_NULL, p + from, 0);
		else if (small && !(at & SMALL_FLAGS))
			add(r, c, RECORD_PLAIN, p + from, to - from);
		else if (!flagged(r, c, p + from, to - from, w))
			return 0;
	}
	return 1;
}

int
record_split(struct record *r, const struct ese *e,
    const struct schema_table *t, const struct page_node *v, struct reason *w)
{
	const uint8_t *p = v->data;
	size_t at;
	unsigned last;

	r->n = 0;
	if (v->len < 4 || (at = le16(p + 2)) > v->len)
		return broken(w, "header");
	last = p[1] < SCHEMA_VARIABLE ? SCHEMA_VARIABLE - 1 : p[1];
	if (!fixed(r, t, p, at, p[0], w) ||
	    !variable(r, t, p, v->len, &at, last - (SCHEMA_VARIABLE - 1), w))
		return 0;
	return v->old ? tagged_old(r, t, p + at, v->len - at, w) :
			tagged(r, e, t, p + at, v->len - at, w);
}

void
record_free(struct record *r)
{
	free(r->v);
	memset(r, 0, sizeof(*r));
}

const struct record_field *
record_get0(struct record *r, const struct schema_column *c)
{
	size_t i;

	for (i = 0; c != NULL && i < r->n; i++)
		if (r->v[i].column == c)
			return &r->v[i];
	if (c == NULL || c->value == NULL)
		return NULL;
	r->own = (struct record_field){ c, c->value, c->len, RECORD_PLAIN };
	return &r->own;
}
