#include "ese/longvalue.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "ese/bytes.h"
#include "ese/expand.h"

#define ID_BYTES 8 /* bytes of a number */
#define CHUNK	 1024 /* cost of looking for a chunk, for ese_spend() */

struct longvalue *
longvalue_new(struct ese *e, const struct schema_table *t)
{
	struct longvalue *l = malloc(sizeof(*l));

	if (l == NULL)
		heap_nomem();
	memset(&l->t, 0, sizeof(l->t));
	l->t.e = e;
	l->t.name = t->name;
	l->t.root = t->long_root;
	l->t.object = t->long_object;
	return l;
}

void
longvalue_free(struct longvalue *l)
{
	if (l == NULL)
		return;
	tree_free(&l->t);
	free(l);
}

/*
 * Finds the first chunk of this value from an offset on, and its own offset.
 * Returns what tree_find() does.
 */
static int
find(struct longvalue *l, const uint8_t *id, size_t nid, uint32_t off,
    struct page_node *v, uint32_t *at, struct reason *w)
{
	uint8_t key[ID_BYTES + 4];
	int rc, i;

	memcpy(key, id, nid);
	for (i = 0; i < 4; i++)
		key[nid + (size_t)i] = (uint8_t)(off >> (24 - 8 * i));
	if ((rc = tree_find(&l->t, key, nid + 4, v, w)) != 1)
		return rc;
	if (v->nprefix + v->nsuffix != nid + 4)
		return 0;
	memcpy(key, v->prefix, v->nprefix);
	memcpy(key + v->nprefix, v->suffix, v->nsuffix);
	for (*at = 0, i = 0; i < 4; i++)
		*at = *at << 8 | key[nid + (size_t)i];
	return memcmp(key, id, nid) == 0;
}

/*
 * Reads the chunk at an offset into its place in buf.  A compressed one is
 * shorter than the offset of the next one says.  Returns the next offset, or 0
 * with *w.
 */
static uint32_t
chunk(struct longvalue *l, const uint8_t *id, size_t nid, uint32_t off,
    uint32_t size, struct reason *w)
{
	struct reason lost = { .reason = NULL };
	struct page_node v;
	uint32_t at, end = size;
	size_t n, len;
	int rc;

	rc = find(l, id, nid, off, &v, &at, w);
	if (rc != -1 && (rc == 0 || at != off || v.len > size - off))
		return (uint32_t)reason_set(w, "damaged",
		    "its bytes from %u on are missing, of %u", off, size);
	if (rc == -1)
		return 0;
	n = v.len;
	memcpy(l->chunk, v.data, n);
	if (n < size - off && find(l, id, nid, off + 1, &v, &at, &lost) == 1)
		end = at < size ? at : size;
	if (n == end - off)
		memcpy(l->buf + off, l->chunk, n);
	else if (!expand(l->chunk, n, l->buf + off, end - off, &len, w) ||
	    len != end - off) {
		if (lost.reason != NULL)
			*w = lost;
		else if (len != end - off)
			reason_set(w, "damaged",
			    "its bytes from %u on are not whole", off);
		return 0;
	}
	return end;
}

int
longvalue_read(struct longvalue *l, const uint8_t *id, size_t n, size_t *len,
    struct reason *w)
{
	uint8_t key[ID_BYTES];
	struct page_node v;
	uint32_t size, off = 0;
	size_t i;
	int rc;

	if (l->t.root == 0)
		return reason_set(w, "damaged",
		    "it is kept elsewhere, but the table has no tree for that");
	if (n != 4 && n != 8)
		return reason_set(w, "damaged",
		    "it is kept elsewhere, but its number is not whole");
	for (i = 0; i < n; i++)
		key[i] = id[n - 1 - i];
	if ((rc = tree_find(&l->t, key, n, &v, w)) == -1)
		return 0;
	if (rc == 0 || page_key_cmp(&v, key, n) != 0 || v.len < 8)
		return reason_set(w, "damaged",
		    "it is kept elsewhere, and is not there");
	if (v.len > 8 && v.data[8] & 1)
		return reason_set(w, "unsupported", "it is encrypted");
	size = le32(v.data + 4);
	if (size > LONGVALUE_MAX)
		return reason_set(w, "ceiling",
		    "it has %u bytes, the ceiling is %d", size, LONGVALUE_MAX);
	while (off < size)
		if (!ese_spend(l->t.e, CHUNK, w) ||
		    (off = chunk(l, key, n, off, size, w)) == 0)
			return 0;
	if (!ese_spend(l->t.e, size, w))
		return 0;
	*len = size;
	return 1;
}
