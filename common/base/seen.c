#include "base/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

/* Where the word of a number is, or goes. */
static size_t
slot(const struct seen *s, unsigned long long at)
{
	size_t i = (size_t)(at * 0x9e3779b97f4a7c15ULL >> 20) & (s->size - 1);

	while (s->v[i].bits != 0 && s->v[i].at != at)
		i = (i + 1) & (s->size - 1);
	return i;
}

static void
grow(struct seen *s)
{
	struct seen old = *s;
	size_t i;

	s->size = old.size == 0 ? 64 : 2 * old.size;
	if ((s->v = calloc(s->size, sizeof(*s->v))) == NULL)
		heap_nomem();
	for (i = 0; i < old.size; i++)
		if (old.v[i].bits != 0)
			s->v[slot(s, old.v[i].at)] = old.v[i];
	free(old.v);
}

int
seen_add(struct seen *s, unsigned long long n)
{
	unsigned long long bit = 1ULL << (n & 63);
	size_t i;

	if (2 * s->used >= s->size)
		grow(s);
	i = slot(s, n >> 6);
	if (s->v[i].bits & bit)
		return 0;
	s->used += s->v[i].bits == 0;
	s->v[i].at = n >> 6;
	s->v[i].bits |= bit;
	return 1;
}

void
seen_reset(struct seen *s)
{
	free(s->v);
	memset(s, 0, sizeof(*s));
}
