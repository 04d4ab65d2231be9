#include "ese/values.h"

#include <inttypes.h>
#include <stdio.h>

#include "ese/rows.h"

static void
row(const struct values *vs, struct rows *r)
{
	const struct record_field *f;
	const uint8_t *p;
	struct reason w;
	char source[2 * SCHEMA_NAME + 24];
	size_t i, n;

	for (i = 0; i < r->row.n; i++) {
		f = &r->row.v[i];
		if (f->form == RECORD_NULL)
			continue;
		(void)snprintf(source, sizeof(source), "%s/%" PRIu64 "/%s",
		    r->table->name, r->number, f->column->name);
		if (rows_value(r, f, &p, &n, &w))
			vs->found(vs->ctx, source, p, n);
		else
			vs->e->fault(vs->e->ctx, source, &w);
	}
}

int
values_each(const struct values *vs)
{
	struct rows r;
	size_t i;
	int on = 1;

	for (i = 0; on && i < vs->catalog->n; i++) {
		rows_open(&r, vs->e, &vs->catalog->table[i]);
		while (on && rows_next(&r)) {
			on = vs->row == NULL || vs->row(vs->ctx);
			if (on && vs->found != NULL)
				row(vs, &r);
		}
		if (on && vs->table != NULL)
			vs->table(vs->ctx, r.table, r.number);
		rows_close(&r);
	}
	return on;
}
