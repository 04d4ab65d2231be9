#include "base/ledger.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/msg.h"

#define BITS 10 /* of the first index */

/* Where in the index a name is, or goes. */
static size_t
slot(const struct ledger *l, const uint8_t id[LEDGER_ID])
{
	uint64_t w[3] = { 0, 0, 0 }, h = 0;
	size_t i;

	memcpy(w, id, LEDGER_ID);
	for (i = 0; i < 3; i++)
		h += w[i] * l->salt[i];
	i = (size_t)(h >> (64 - l->bits));
	while (l->index[i] != 0 &&
	    memcmp(l->v[l->index[i] - 1].id, id, LEDGER_ID) != 0)
		i = (i + 1) & (((size_t)1 << l->bits) - 1);
	return i;
}

/* Room for one more, in both tables. */
static void
grow(struct ledger *l)
{
	size_t i;

	if (l->n == LEDGER_MAX)
		msg_die("more than %d certificates or users, the ceiling: "
			"make a report for a part of them",
		    LEDGER_MAX);
	if (l->n == l->room) {
		l->room = l->room == 0 ? 1024 : 2 * l->room;
		l->v = realloc(l->v, l->room * sizeof(*l->v));
		if (l->v == NULL)
			heap_nomem();
	}
	if (l->index != NULL && l->n < ((size_t)3 << l->bits) / 4)
		return;
	if (l->index == NULL &&
	    RAND_bytes((void *)l->salt, sizeof(l->salt)) != 1)
		heap_nomem();
	for (i = 0; i < 3; i++)
		l->salt[i] |= 1;
	l->bits = l->index == NULL ? BITS : l->bits + 1;
	free(l->index);
	l->index = calloc((size_t)1 << l->bits, sizeof(*l->index));
	if (l->index == NULL)
		heap_nomem();
	for (i = 0; i < l->n; i++)
		l->index[slot(l, l->v[i].id)] = (uint32_t)i + 1;
}

struct ledger_entry *
ledger_get0(struct ledger *l, const uint8_t id[LEDGER_ID])
{
	struct ledger_entry *e;
	size_t i;

	if (l->index != NULL && l->index[i = slot(l, id)] != 0)
		return &l->v[l->index[i] - 1];
	grow(l);
	e = &l->v[l->n++];
	memset(e, 0, sizeof(*e));
	memcpy(e->id, id, LEDGER_ID);
	l->index[slot(l, id)] = (uint32_t)l->n;
	return e;
}

void
ledger_free(struct ledger *l)
{
	free(l->v);
	free(l->index);
}
