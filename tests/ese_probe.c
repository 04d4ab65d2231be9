/*
 * Prints every value of an ESE database that a row has: table, number of the
 * row, column, and the value as hex, apart by tabs; on stderr what is lost, and
 * how many values come from the columns.
 */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/tool.h"
#include "ese/catalog.h"
#include "ese/header.h"
#include "ese/rows.h"

static int lost;

static void
fault(void *ctx, const char *table, const struct reason *w)
{
	(void)ctx;
	lost = 1;
	(void)fprintf(stderr, "%s: %s: %s\n", table, w->reason, w->detail);
}

static void
put(struct rows *r, const struct record_field *f)
{
	const uint8_t *p;
	struct reason w;
	size_t i, n;

	if (f->form == RECORD_NULL)
		return;
	if (!rows_value(r, f, &p, &n, &w)) {
		fault(NULL, f->column->name, &w);
		return;
	}
	(void)printf("%s\t%" PRIu64 "\t%s\t", r->table->name, r->number,
	    f->column->name);
	for (i = 0; i < n; i++)
		(void)printf("%02x", p[i]);
	(void)putchar('\n');
}

int
main(void)
{
	struct ese e = { .fd = STDIN_FILENO, .fault = fault };
	struct catalog c;
	struct reason w;
	struct rows r;
	size_t i, k;

	tool_start();
	if (!header_read(&e, &w)) {
		(void)fprintf(stderr, "%s: %s\n", w.reason, w.detail);
		return tool_end(2);
	}
	catalog_read(&c, &e);
	for (i = 0; i < c.n; i++) {
		rows_open(&r, &e, &c.table[i]);
		while (rows_next(&r))
			for (k = 0; k < r.row.n; k++)
				put(&r, &r.row.v[k]);
		rows_close(&r);
	}
	catalog_free(&c);
	return tool_end(lost);
}
