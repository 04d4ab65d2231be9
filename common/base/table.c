#include "base/table.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

#define BITS  10 /* of the first index */
#define FIRST 64 /* entries that there is room for at first */
#define WORDS (TABLE_NAME / sizeof(uint64_t))

/* One salt for all tables: odd numbers, one for each word of a name. */
static uint64_t salt[WORDS + 1];

static void
make_salt(void)
{
	size_t i;

	if (salt[0] != 0)
		return;
	if (RAND_bytes((void *)salt, sizeof(salt)) != 1)
		heap_nomem();
	for (i = 0; i <= WORDS; i++)
		salt[i] |= 1;
}

/* Returns where in the index to begin to look for a name, salted. */
static size_t
place(const struct table *t, const uint8_t *name)
{
	uint64_t w, h = 0;
	size_t i, n;

	for (i = 0; i * sizeof(w) < t->name; i++) {
		n = t->name - i * sizeof(w);
		w = 0;
		memcpy(&w, name + i * sizeof(w), n < sizeof(w) ? n : sizeof(w));
		h += w * salt[i];
	}
	/* low bits of a word reach high bits of its product, not the reverse */
	return (size_t)(((h ^ h >> 32) * salt[WORDS]) >> (64 - t->bits));
}

static uint8_t *
at(const struct table *t, size_t i)
{
	return (uint8_t *)t->v + i * t->entry;
}

/* Returns where in the index a name is or belongs. */
static uint32_t *
slot(const struct table *t, const void *name)
{
	size_t mask = ((size_t)1 << t->bits) - 1, i = place(t, name);

	while (t->index[i] != 0 &&
	    memcmp(at(t, t->index[i] - 1), name, t->name) != 0)
		i = (i + 1) & mask;
	return &t->index[i];
}

/* Makes room for one more entry; the index is at most three quarters full. */
static void
more(struct table *t)
{
	size_t i;

	if (t->n == t->room) {
		t->room = t->room == 0 ? FIRST : 2 * t->room;
		/* realloc(3) moves no large block; nothing here is a secret */
		t->v = realloc(t->v, t->room * t->entry);
		if (t->v == NULL)
			heap_nomem();
	}
	if (t->index != NULL && t->n < ((size_t)3 << t->bits) / 4)
		return;
	make_salt();
	t->bits = t->index == NULL ? BITS : t->bits + 1;
	free(t->index);
	t->index = calloc((size_t)1 << t->bits, sizeof(*t->index));
	if (t->index == NULL)
		heap_nomem();
	for (i = 0; i < t->n; i++)
		*slot(t, at(t, i)) = (uint32_t)i + 1;
}

void *
table_find0(const struct table *t, const void *name)
{
	uint32_t i = t->index == NULL ? 0 : *slot(t, name);

	return i == 0 ? NULL : at(t, i - 1);
}

void *
table_get0(struct table *t, const void *name)
{
	uint8_t *e = table_find0(t, name);

	if (e != NULL || t->n == t->max)
		return e;
	more(t);
	e = at(t, t->n);
	memcpy(e, name, t->name);
	memset(e + t->name, 0, t->entry - t->name);
	*slot(t, name) = (uint32_t)++t->n;
	return e;
}

void
table_clear(struct table *t)
{
	free(t->v);
	free(t->index);
	t->v = t->index = NULL;
	t->n = t->room = 0;
}

int
table_add_number(struct table *t, uint64_t number)
{
	uint64_t at64 = number >> 6, bit = 1ULL << (number & 63);
	struct table_numbers *e = table_get0(t, &at64);

	if (e == NULL)
		return -1;
	if (e->bits & bit)
		return 0;
	e->bits |= bit;
	return 1;
}
