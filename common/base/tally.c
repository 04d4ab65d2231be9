#include "base/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/text.h"

unsigned long long *
tally_get0(struct tally *t, struct text name)
{
	char vis[TALLY_TEXT];
	struct tally_row *r;
	size_t i;

	text_vis(vis, sizeof(vis), name.s, name.n);
	for (i = 0; i < t->n; i++)
		if (strcmp(t->row[i].name, vis) == 0)
			return t->row[i].v;
	if (t->n == TALLY_MAX)
		return t->others.v;
	if ((r = realloc(t->row, (t->n + 1) * sizeof(*r))) == NULL)
		heap_nomem();
	t->row = r;
	r += t->n;
	memset(r, 0, sizeof(*r));
	if ((r->name = strdup(vis)) == NULL)
		heap_nomem();
	t->n++;
	return r->v;
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
	if (t->n > 1)
		qsort(t->row, t->n, sizeof(*t->row), by_name);
}

int
tally_more(const struct tally *t)
{
	size_t i;

	for (i = 0; i < TALLY_COLS && t->others.v[i] == 0; i++)
		continue;
	return i < TALLY_COLS;
}

void
tally_free(struct tally *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->row[i].name);
	free(t->row);
}
