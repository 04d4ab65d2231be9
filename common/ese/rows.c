#include "ese/rows.h"

#include <inttypes.h>
#include <string.h>

#include "ese/expand.h"

void
rows_open(struct rows *r, struct ese *e, const struct schema_table *t)
{
	memset(r, 0, sizeof(*r));
	r->table = t;
	r->tree.e = e;
	r->tree.name = t->name;
	r->tree.root = t->root;
	r->tree.object = t->object;
	r->longs = longvalue_new(e, t);
}

void
rows_close(struct rows *r)
{
	tree_free(&r->tree);
	record_free(&r->row);
	longvalue_free(r->longs);
}

int
rows_next(struct rows *r)
{
	const struct ese *e = r->tree.e;
	struct page_node v;
	struct reason w;

	while (tree_next(&r->tree, &v, &r->page, &r->node)) {
		r->number++;
		if (record_split(&r->row, e, r->table, &v, &w))
			return 1;
		ese_fault(e, r->table->name, w.reason, "row %" PRIu64 ": %s",
		    r->number, w.detail);
	}
	return 0;
}

int
rows_at(struct rows *r, uint32_t page, unsigned node, struct reason *w)
{
	struct page_node v;

	r->page = page;
	r->node = node;
	return tree_at(&r->tree, &v, page, node, w) &&
	    record_split(&r->row, r->tree.e, r->table, &v, w);
}

int
rows_value(struct rows *r, const struct record_field *f, const uint8_t **p,
    size_t *n, struct reason *w)
{
	*p = f->p;
	*n = f->n;
	switch (f->form) {
	case RECORD_NULL:
		*p = NULL;
		*n = 0;
		break;
	case RECORD_PLAIN:
		break;
	case RECORD_COMPRESSED:
		*p = r->longs->buf;
		return expand(f->p, f->n, r->longs->buf, LONGVALUE_MAX, n, w) &&
		    ese_spend(r->tree.e, *n, w);
	case RECORD_LONG:
		*p = r->longs->buf;
		return longvalue_read(r->longs, f->p, f->n, n, w);
	case RECORD_ENCRYPTED:
		return reason_set(w, "unsupported", "the column is encrypted");
	}
	return 1;
}
