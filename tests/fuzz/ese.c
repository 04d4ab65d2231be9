/*
 * ESE databases: what walks, looks up and puts together comes to an end, gives
 * nothing that is not there, and says why something is lost.
 *
 * The input is a database; or, since a small one is mostly zeros, a byte for the
 * size of its pages, and then runs of bytes, each behind the number of its page,
 * its place there and its length.
 */

#include <stdlib.h>
#include <string.h>

#include "ca/edb.h"
#include "ese/header.h"
#include "ese/longvalue.h"
#include "ese/values.h"
#include "fuzz.h"

#define PAGES 64 /* behind the two of the header */
#define RUN   4 /* bytes in front of a run */

struct seen {
	uint64_t bytes, rows;
	unsigned sum;
};

static void
fault(void *ctx, const char *where, const struct reason *w)
{
	(void)ctx;
	fuzz_must(where != NULL && w->reason != NULL && *w->detail != '\0',
	    "a fault says where and why");
}

static int
row(void *ctx)
{
	((struct seen *)ctx)->rows++;
	return 1;
}

static void
value(void *ctx, const char *source, const uint8_t *p, size_t n)
{
	struct seen *s = ctx;
	size_t i;

	fuzz_must(n <= LONGVALUE_MAX, "no value past its ceiling");
	fuzz_must(strchr(source, '/') != NULL, "a value has a source");
	for (i = 0; i < n; i += 61)
		s->sum += p[i];
	if (n > 0)
		s->sum += p[n - 1];
	s->bytes += n;
}

static void
table(void *ctx, const struct schema_table *t, uint64_t rows)
{
	(void)ctx;
	(void)rows;
	fuzz_must(strlen(t->name) < SCHEMA_NAME, "a name ends");
}

/* The rows of a CA; each is whole. */
static void
ca(struct ese *e, const struct catalog *c)
{
	struct edb *d = edb_new(e, c);
	struct edb_row r;

	while (edb_next(d, &r))
		fuzz_must(r.cert != NULL && r.found.certlen == r.cert->len,
		    "a row has its certificate");
	edb_free(d);
}

static void
database(const uint8_t *p, size_t n)
{
	struct seen s = { 0, 0, 0 };
	struct ese e = { .mem = p, .size = n, .fault = fault };
	const struct values vs = { .e = &e,
		.row = row,
		.found = value,
		.table = table,
		.ctx = &s };
	struct values all = vs;
	struct catalog c;
	struct reason w;

	if (!header_read(&e, &w)) {
		fuzz_must(*w.detail != '\0', "a refusal says why");
		return;
	}
	(void)header_engine(&e);
	(void)header_clean(&e, &w);
	catalog_read(&c, &e);
	all.catalog = &c;
	fuzz_must(values_each(&all), "it is read to its end");
	fuzz_must(s.rows <= (uint64_t)c.n * n, "no row twice");
	if (catalog_is_ca(&c))
		ca(&e, &c);
	catalog_free(&c);
}

/* Puts runs of bytes where their places say. */
static void
place(const uint8_t *p, size_t n)
{
	size_t size = (size_t)2048 << p[0] % 5, all = (PAGES + 2) * size, at, k;
	uint8_t *image = calloc(1, all);

	fuzz_must(image != NULL, "memory");
	for (p++, n--; n > RUN; p += k, n -= k) {
		at = (p[0] % (PAGES + 2) * size + (size_t)(p[1] | p[2] << 8)) %
		    all;
		k = p[3];
		p += RUN;
		n -= RUN;
		k = k < n ? k : n;
		k = k < all - at ? k : all - at;
		memcpy(image + at, p, k);
	}
	database(image, all);
	free(image);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (header_is(p, n))
		database(p, n);
	else if (n > 0)
		place(p, n);
	return 0;
}
