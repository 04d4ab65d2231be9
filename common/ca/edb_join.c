#include "ca/edb_join.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ese/bytes.h"

void
edb_fault(const struct edb_join *j, int table, uint32_t id, const char *name,
    const struct reason *w)
{
	char source[160];

	(void)snprintf(source, sizeof(source), "%s/%u%s%s",
	    j->side[table].rows.table->name, id, name == NULL ? "" : "/",
	    name == NULL ? "" : name);
	j->e->fault(j->e->ctx, source, w);
}

/* Goes to the next row of a table that has a RequestID of its own. */
static void
advance(struct edb_join *j, struct edb_side *s)
{
	const struct record_field *f;
	struct reason w;

	while ((s->has = rows_next(&s->rows))) {
		f = record_get0(&s->rows.row, s->id);
		if (f == NULL || f->form != RECORD_PLAIN || f->n != 4) {
			ese_fault(j->e, s->rows.table->name, "damaged",
			    "row %llu has no RequestID",
			    (unsigned long long)s->rows.number);
			continue;
		}
		s->now = le32(f->p);
		if (table_add_number(&s->ids, s->now) != 0)
			return;
		reason_set(&w, "damaged",
		    "a second row with this RequestID: it is not read");
		edb_fault(j, (int)(s - j->side), s->now, NULL, &w);
	}
}

/* Remembers the place of a row whose partner may still come. */
static void
leave(struct edb_join *j, struct edb_side *s)
{
	struct edb_place *v;

	if (s->nleft == EDB_LEFT_MAX) {
		ese_fault(j->e, s->rows.table->name, "ceiling",
		    "more than %d rows in another order than those of the "
		    "other table: row %u is not read",
		    EDB_LEFT_MAX, s->now);
		return;
	}
	s->left = array_grow(s->left, &s->room, s->nleft + 1, sizeof(*v));
	v = &s->left[s->nleft++];
	v->id = s->now;
	v->page = s->rows.page;
	v->node = s->rows.node;
}

static int
cmp_place(const void *a, const void *b)
{
	const struct edb_place *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* Goes back to a row.  Returns 1 if it is there. */
static int
back(struct edb_join *j, struct edb_side *s)
{
	struct edb_place *v = &s->left[s->next++];
	struct reason w;

	s->now = v->id;
	s->has = rows_at(&s->rows, v->page, v->node, &w);
	if (!s->has)
		edb_fault(j, (int)(s - j->side), v->id, NULL, &w);
	return s->has;
}

int
edb_join_next(struct edb_join *j)
{
	struct edb_side *r = &j->side[REQUESTS], *c = &j->side[CERTIFICATES];
	int i, first;

	while (!j->merged) {
		for (i = 0; i < 2; i++)
			if (j->taken & 1 << i)
				advance(j, &j->side[i]);
		j->taken = 0;
		if (r->has && c->has && r->now == c->now) {
			j->taken = 3;
			return 1;
		}
		first = !r->has || (c->has && c->now < r->now);
		j->merged = !j->side[first].has;
		if (!j->merged)
			leave(j, &j->side[first]);
		j->taken = 1 << first;
		if (j->merged)
			for (i = 0; i < 2; i++)
				if (j->side[i].nleft > 0)
					qsort(j->side[i].left, j->side[i].nleft,
					    sizeof(struct edb_place),
					    cmp_place);
	}
	while (r->next < r->nleft || c->next < c->nleft) {
		first = r->next == r->nleft ||
		    (c->next < c->nleft &&
			c->left[c->next].id < r->left[r->next].id);
		i = r->next < r->nleft && c->next < c->nleft &&
		    c->left[c->next].id == r->left[r->next].id;
		r->has = c->has = 0;
		if (i)
			i = back(j, r) & back(j, c);
		else
			i = back(j, &j->side[first]);
		if (i)
			return 1;
	}
	return 0;
}

void
edb_join_open(struct edb_join *j, struct ese *e, const struct catalog *c)
{
	static const char *const tables[] = { "Requests", "Certificates" };
	const struct schema_table *t;
	int i;

	memset(j, 0, sizeof(*j));
	j->e = e;
	j->taken = 3;
	for (i = 0; i < 2; i++) {
		t = catalog_table0(c, tables[i]);
		j->side[i].ids = TABLE_OF(struct table_numbers, 8,
		    EDB_LEFT_MAX);
		rows_open(&j->side[i].rows, e, t);
		if ((j->side[i].id = catalog_find0(t, "RequestID")) == NULL)
			ese_fault(e, t->name, "unsupported",
			    "no column RequestID: its rows are not read");
	}
}

void
edb_join_close(struct edb_join *j)
{
	int i;

	for (i = 0; i < 2; i++) {
		rows_close(&j->side[i].rows);
		table_clear(&j->side[i].ids);
		OPENSSL_free(j->side[i].left);
	}
}
