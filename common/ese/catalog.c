#include "ese/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "ese/bytes.h"
#include "ese/record.h"
#include "ese/tree.h"

#define NAME	    "MSysObjects"
#define ROOT	    4
#define OBJECT	    2
#define COPY_ROOT   24
#define COPY_OBJECT 3
/* types of an entry */
#define IS_TABLE       1
#define IS_COLUMN      2
#define IS_LONG_VALUES 4

/* identifiers of the catalog's own columns */
enum {
	ID_TABLE = 1,
	ID_TYPE,
	ID_ID,
	ID_TYPE_OR_ROOT,
	ID_SIZE,
	ID_CODEPAGE = 7,
	ID_NAME = 128,
	ID_TEMPLATE = 130,
	ID_VALUE
};

#define FIXED(id, size) \
	{ \
		"", OBJECT, id, SCHEMA_LONG, size, 0, NULL, 0 \
	}

static const struct schema_column own[] = {
	FIXED(ID_TABLE, 4),
	FIXED(ID_TYPE, 2),
	FIXED(ID_ID, 4),
	FIXED(ID_TYPE_OR_ROOT, 4),
	FIXED(ID_SIZE, 4),
	FIXED(6, 4),
	FIXED(ID_CODEPAGE, 4),
	FIXED(8, 1),
	FIXED(9, 2),
	FIXED(10, 4),
	FIXED(11, 2),
	FIXED(12, 4),
	FIXED(13, 8),
	FIXED(ID_NAME, 0),
	FIXED(ID_TEMPLATE, 0),
	FIXED(ID_VALUE, 0),
};

/* An entry of the catalog, taken apart. */
struct entry {
	uint32_t number[ID_CODEPAGE + 1]; /* by identifier; 0 if it has none */
	const struct record_field *name, *template, *value;
};

static void
read_entry(struct entry *en, const struct record *r)
{
	const struct record_field *f;
	size_t i;

	memset(en, 0, sizeof(*en));
	for (i = 0; i < r->n; i++) {
		f = &r->v[i];
		if (f->form != RECORD_PLAIN)
			continue;
		if (f->column->id <= ID_CODEPAGE && f->n >= 2)
			en->number[f->column->id] = f->n < 4 ? le16(f->p) :
							       le32(f->p);
		else if (f->column->id == ID_NAME)
			en->name = f;
		else if (f->column->id == ID_TEMPLATE)
			en->template = f;
		else if (f->column->id == ID_VALUE)
			en->value = f;
	}
}

static void
copy_name(char name[SCHEMA_NAME], const struct record_field *f)
{
	size_t n = f == NULL	   ? 0 :
	    f->n < SCHEMA_NAME - 1 ? f->n :
				     SCHEMA_NAME - 1;

	memset(name, 0, SCHEMA_NAME);
	if (n > 0)
		memcpy(name, f->p, n);
}

/*
 * Makes room for one more of n things of this size, zeroed.  Returns NULL, with
 * a fault the first time, if there are max of them.
 */
static void *
more(struct ese *e, void *all, size_t *n, size_t size, size_t max,
    const char *what)
{
	char *v = *(char **)all;

	if (*n >= max) {
		if ((*n)++ == max)
			ese_fault(e, NAME, "ceiling",
			    "more than %zu %s: the others are not read", max,
			    what);
		return NULL;
	}
	/* the size doubles at each power of two */
	if ((*n & (*n - 1)) == 0) {
		v = realloc(v, (*n == 0 ? 1 : 2 * *n) * size);
		if (v == NULL)
			heap_nomem();
		*(char **)all = v;
	}
	return memset(v + (*n)++ * size, 0, size);
}

/* Where an entry says that a table's long values are. */
struct longs {
	uint32_t table, object, root;
};

struct loading {
	struct catalog *c;
	struct ese *e;
	struct longs *longs;
	size_t nlongs;
};

static void
take(struct loading *l, const struct entry *en)
{
	struct schema_table *t;
	struct schema_column *c;
	struct longs *v;

	if (en->number[ID_TYPE] == IS_TABLE &&
	    (t = more(l->e, &l->c->table, &l->c->n, sizeof(*t),
		 CATALOG_TABLES_MAX, "tables")) != NULL) {
		t->object = en->number[ID_TABLE];
		t->root = en->number[ID_TYPE_OR_ROOT];
		copy_name(t->name, en->name);
		copy_name(t->template, en->template);
	} else if (en->number[ID_TYPE] == IS_COLUMN &&
	    (c = more(l->e, &l->c->column, &l->c->ncolumns, sizeof(*c),
		 CATALOG_COLUMNS_MAX, "columns")) != NULL) {
		c->table = en->number[ID_TABLE];
		c->id = en->number[ID_ID];
		c->type = en->number[ID_TYPE_OR_ROOT];
		c->size = en->number[ID_SIZE];
		c->codepage = en->number[ID_CODEPAGE];
		copy_name(c->name, en->name);
		if (en->value != NULL) {
			c->len = en->value->n;
			if ((c->value = malloc(c->len + 1)) == NULL)
				heap_nomem();
			memcpy(c->value, en->value->p, c->len);
		}
	} else if (en->number[ID_TYPE] == IS_LONG_VALUES &&
	    (v = more(l->e, &l->longs, &l->nlongs, sizeof(*v),
		 CATALOG_TABLES_MAX, "trees of long values")) != NULL) {
		v->table = en->number[ID_TABLE];
		v->object = en->number[ID_ID];
		v->root = en->number[ID_TYPE_OR_ROOT];
	}
}

static int
cmp_table(const void *a, const void *b)
{
	uint32_t x = ((const struct schema_table *)a)->object;
	uint32_t y = ((const struct schema_table *)b)->object;

	return (x > y) - (x < y);
}

static int
cmp_name(const void *a, const void *b)
{
	return strcmp((*(struct schema_table *const *)a)->name,
	    (*(struct schema_table *const *)b)->name);
}

static int
cmp_column(const void *a, const void *b)
{
	const struct schema_column *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* Drops a table that is named twice: nobody knows which is meant. */
static void
drop_twins(struct loading *l)
{
	struct catalog *c = l->c;
	struct schema_table **by = calloc(c->n + 1, sizeof(*by));
	size_t i, n = 0;

	if (by == NULL)
		heap_nomem();
	for (i = 0; i < c->n; i++)
		by[i] = &c->table[i];
	qsort(by, c->n, sizeof(struct schema_table *), cmp_name);
	for (i = 1; i < c->n; i++)
		if (strcmp(by[i - 1]->name, by[i]->name) == 0)
			by[i]->root = 0;
	for (i = 1; i < c->n; i++)
		if (c->table[i - 1].object == c->table[i].object)
			c->table[i].root = 0;
	for (i = 0; i < c->n; i++)
		if (c->table[i].root != 0)
			c->table[n++] = c->table[i];
		else
			ese_fault(l->e, c->table[i].name, "damaged",
			    "the catalog has this table twice, or without a "
			    "root: this one is not read");
	c->n = n;
	free(by);
}

/* Gives each table its columns, template and long values. */
static void
join(struct loading *l)
{
	struct catalog *c = l->c;
	struct schema_table *t, key = { 0 };
	size_t i, col = 0;

	for (i = 0; i < c->n; i++) {
		t = &c->table[i];
		while (col < c->ncolumns && c->column[col].table < t->object)
			col++;
		t->column = c->ncolumns == 0 ? NULL : c->column + col;
		while (col + t->ncolumns < c->ncolumns &&
		    t->column[t->ncolumns].table == t->object)
			t->ncolumns++;
		if (*t->template != '\0')
			t->base = catalog_table0(c, t->template);
	}
	for (i = 0; i < l->nlongs; i++) {
		key.object = l->longs[i].table;
		t = c->n == 0 ?
		    NULL :
		    bsearch(&key, c->table, c->n, sizeof(key), cmp_table);
		if (t != NULL) {
			t->long_root = l->longs[i].root;
			t->long_object = l->longs[i].object;
		}
	}
}

/* Reads all entries of the tree.  Returns 1 if none was lost. */
static int
load(struct catalog *c, struct ese *e, uint32_t root, uint32_t object)
{
	const struct schema_table self = { .name = NAME,
		.column = own,
		.ncolumns = sizeof(own) / sizeof(own[0]) };
	struct tree t = { .e = e,
		.name = NAME,
		.root = root,
		.object = object };
	struct loading l = { .c = c, .e = e };
	struct record r = { .v = NULL };
	struct page_node v;
	struct entry en;
	struct reason w;
	uint32_t number;
	unsigned at;
	int whole = 1;

	memset(c, 0, sizeof(*c));
	while (tree_next(&t, &v, &number, &at))
		if (record_split(&r, e, &self, &v, &w)) {
			read_entry(&en, &r);
			take(&l, &en);
		} else {
			whole = 0;
			e->fault(e->ctx, NAME, &w);
		}
	whole = whole && !t.lost;
	if (c->n > CATALOG_TABLES_MAX)
		c->n = CATALOG_TABLES_MAX;
	if (c->ncolumns > CATALOG_COLUMNS_MAX)
		c->ncolumns = CATALOG_COLUMNS_MAX;
	if (l.nlongs > CATALOG_TABLES_MAX)
		l.nlongs = CATALOG_TABLES_MAX;
	if (c->n > 0)
		qsort(c->table, c->n, sizeof(*c->table), cmp_table);
	if (c->ncolumns > 0)
		qsort(c->column, c->ncolumns, sizeof(*c->column), cmp_column);
	drop_twins(&l);
	join(&l);
	free(l.longs);
	record_free(&r);
	tree_free(&t);
	return whole;
}

void
catalog_read(struct catalog *c, struct ese *e)
{
	struct catalog copy;

	if (load(c, e, ROOT, OBJECT))
		return;
	if (load(&copy, e, COPY_ROOT, COPY_OBJECT) || copy.n > c->n) {
		catalog_free(c);
		*c = copy;
	} else
		catalog_free(&copy);
}

void
catalog_free(struct catalog *c)
{
	size_t i;

	for (i = 0; i < c->ncolumns; i++)
		free(c->column[i].value);
	free(c->column);
	free(c->table);
	memset(c, 0, sizeof(*c));
}

const struct schema_table *
catalog_table0(const struct catalog *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->table[i].name, name) == 0)
			return &c->table[i];
	return NULL;
}

const struct schema_column *
catalog_find0(const struct schema_table *t, const char *name)
{
	const char *s;
	size_t i;

	for (i = 0; i < t->ncolumns; i++) {
		s = t->column[i].name;
		if (strcmp(s + (*s == '$'), name) == 0)
			return &t->column[i];
	}
	return NULL;
}

int
catalog_is_ca(const struct catalog *c)
{
	const struct schema_table *t = catalog_table0(c, "Requests");

	return t != NULL && catalog_table0(c, "Certificates") != NULL &&
	    catalog_find0(t, "RawArchivedKey") != NULL;
}
