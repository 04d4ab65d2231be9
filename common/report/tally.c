#include "report/tally.h"

#include <stdlib.h>
#include <string.h>

unsigned long long *
tally_get0(struct tally *t, struct text name)
{
	char vis[TALLY_TEXT];
	struct tally_row *r;

	if (t->names.max == 0)
		t->names = TABLE_OF(struct tally_row, TALLY_TEXT, TALLY_MAX);
	memset(vis, 0, sizeof(vis));
	text_vis(vis, sizeof(vis), name.s, name.n);
	r = table_get0(&t->names, vis);
	return r == NULL ? t->others.v : r->v;
}

static int
by_name(const void *a, const void *b)
{
	return strverscmp(((const struct tally_row *)a)->name,
	    ((const struct tally_row *)b)->name);
}

void
tally_sort(struct tally *t)
{
	static const char others[] = "all others";

	if (t->names.n > 1)
		qsort(t->names.v, t->names.n, sizeof(struct tally_row),
		    by_name);
	memcpy(t->others.name, others, sizeof(others));
}

size_t
tally_rows(const struct tally *t)
{
	size_t i;

	for (i = 0; i < TALLY_COLS && t->others.v[i] == 0; i++)
		continue;
	return t->names.n + (i < TALLY_COLS);
}

const struct tally_row *
tally_row0(const struct tally *t, size_t i)
{
	const struct tally_row *r = t->names.v;

	return i < t->names.n ? &r[i] : &t->others;
}

void
tally_free(struct tally *t)
{
	table_clear(&t->names);
}
