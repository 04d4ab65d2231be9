#include "ese/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "ese/bytes.h"

/* Returns 1 if the page is a leaf with rows of this tree. */
static int
is_leaf(const struct tree *t, const struct page *p)
{
	return p->object == t->object && p->flags & PAGE_LEAF &&
	    !(p->flags & (PAGE_SPACE | PAGE_EMPTY));
}

/* Reads a page that must be one of the tree.  Returns 1, or 0 with *w. */
static int
load(const struct tree *t, struct page *p, uint32_t n, struct reason *w)
{
	if (p->number == n && n != 0)
		return 1;
	if (!page_load(t->e, p, n, w))
		return 0;
	if (p->object == t->object && !(p->flags & PAGE_SPACE))
		return 1;
	p->number = 0;
	return reason_set(w, "damaged",
	    "page %u is of object %u, not of %u: a branch leads astray", n,
	    p->object, t->object);
}

/* Gives node i of a page.  Returns 1, or 0 with *w. */
static int
take(const struct tree *t, const struct page *p, unsigned i,
    struct page_node *v, struct reason *w)
{
	return page_node(t->e, p, i, v) ||
	    reason_set(w, "damaged", "page %u: node %u is not whole", p->number,
		i);
}

/* Returns 1 if another level may follow, or 0 with *w. */
static int
deeper(const struct tree *t, uint32_t n, struct reason *w)
{
	return t->depth < TREE_DEPTH_MAX ||
	    reason_set(w, "damaged", "page %u: more than %d levels", n,
		TREE_DEPTH_MAX);
}

/* Returns the page that a node of a branch leads to, or 0. */
static uint32_t
child(const struct page_node *v)
{
	return v->len < 4 ? 0 : le32(v->data);
}

/* Notes a visit to a page.  Returns 1, or 0 if it was visited before. */
static int
visit(struct tree *t, uint32_t n)
{
	if (t->seen == NULL &&
	    (t->seen = calloc((size_t)t->e->last / 8 + 1, 1)) == NULL)
		heap_nomem();
	if (n > t->e->last)
		return 1; /* load() will say so */
	if (t->seen[n / 8] >> n % 8 & 1)
		return 0;
	t->seen[n / 8] |= (uint8_t)(1 << n % 8);
	return 1;
}

/* Goes down to a page, in a walk.  An unreadable one is a loss. */
static void
down(struct tree *t, uint32_t n)
{
	struct reason w;
	int rc = 0;

	if (!visit(t, n))
		reason_set(&w, "damaged", "two branches lead to page %u", n);
	else
		rc = deeper(t, n, &w) &&
		    load(t, &t->level[t->depth].page, n, &w);
	if (rc)
		t->level[t->depth++].node = 1;
	else {
		t->lost = 1;
		t->e->fault(t->e->ctx, t->name, &w);
	}
}

/* Returns 1 if the file may be swept again, or 0: too much is damaged. */
static int
may_sweep(const struct tree *t)
{
	if (t->e->sweeps == 0)
		return 0;
	if (--t->e->sweeps == 0)
		ese_fault(t->e, t->name, "ceiling",
		    "more than %d tables are damaged: what their branches "
		    "lost is not looked for any more",
		    ESE_SWEEPS_MAX);
	return t->e->sweeps > 0;
}

/* Goes to the next leaf that no branch led to.  Returns 1, or 0. */
static int
stray(struct tree *t)
{
	struct tree_level *l = &t->level[0];
	struct reason w;

	if (!t->lost || (t->sweep == 0 && !may_sweep(t)))
		return 0;
	while (t->sweep < t->e->last)
		if (visit(t, ++t->sweep) &&
		    page_load(t->e, &l->page, t->sweep, &w) &&
		    is_leaf(t, &l->page)) {
			t->depth = 1;
			l->node = 1;
			return 1;
		}
	return 0;
}

int
tree_next(struct tree *t, struct page_node *v, uint32_t *number, unsigned *at)
{
	struct tree_level *l;
	struct reason w;

	if (!t->started) {
		t->started = 1;
		down(t, t->root);
	}
	while (t->depth > 0 || stray(t)) {
		l = &t->level[t->depth - 1];
		if (l->node > l->page.nodes) {
			t->depth--;
			continue;
		}
		*number = l->page.number;
		*at = l->node++;
		if (!take(t, &l->page, *at, v, &w)) {
			t->lost = 1;
			t->e->fault(t->e->ctx, t->name, &w);
		} else if (!(l->page.flags & PAGE_LEAF))
			down(t, child(v));
		else if (!v->deleted)
			return 1;
	}
	return 0;
}

int
tree_at(struct tree *t, struct page_node *v, uint32_t number, unsigned at,
    struct reason *w)
{
	return load(t, &t->stray, number, w) && take(t, &t->stray, at, v, w);
}

/*
 * Finds the first node of a page whose key is not less or, in a branch, is
 * greater.  Returns nodes + 1 if there is none, and 0 if one is not whole.
 */
static unsigned
first_node(const struct tree *t, const struct page *p, const uint8_t *key,
    size_t n)
{
	unsigned low = 1, high = p->nodes + 1, mid;
	struct page_node v;
	int c, leaf = (p->flags & PAGE_LEAF) != 0;

	while (low < high) {
		mid = (low + high) / 2;
		if (!page_node(t->e, p, mid, &v))
			return 0;
		c = page_key_cmp(&v, key, n);
		/* the last node of a branch may have no key: all others */
		if (!leaf && v.nprefix + v.nsuffix == 0)
			c = 1;
		if (c < 0 || (c == 0 && !leaf))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Finds the first node from here on, by branches, that is not deleted. */
static int
settle(struct tree *t, struct page_node *v, struct reason *w)
{
	struct tree_level *l;

	while (t->depth > 0) {
		l = &t->level[t->depth - 1];
		if (l->node > l->page.nodes) {
			t->depth--;
			continue;
		}
		if (!take(t, &l->page, l->node++, v, w))
			return -1;
		if (!(l->page.flags & PAGE_LEAF)) {
			if (!deeper(t, child(v), w) ||
			    !load(t, &t->level[t->depth].page, child(v), w))
				return -1;
			t->level[t->depth++].node = 1;
		} else if (!v->deleted)
			return 1;
	}
	return 0;
}

/* Does as tree_find(), by branches. */
static int
descend(struct tree *t, const uint8_t *key, size_t n, struct page_node *v,
    struct reason *w)
{
	struct tree_level *l;
	uint32_t to = t->root;

	for (t->depth = 0; deeper(t, to, w); to = child(v)) {
		l = &t->level[t->depth];
		if (!load(t, &l->page, to, w))
			return -1;
		t->depth++;
		if ((l->node = first_node(t, &l->page, key, n)) == 0)
			return take(t, &l->page, 0, v, w) - 1;
		if (l->page.flags & PAGE_LEAF || l->node > l->page.nodes)
			return settle(t, v, w);
		if (!take(t, &l->page, l->node++, v, w))
			return -1;
	}
	return -1;
}

static int
cmp_leaf(const void *a, const void *b)
{
	const struct tree_leaf *x = a, *y = b;
	int c = memcmp(x->key, y->key, TREE_KEY);

	return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

/* Copies a key, cut or padded with zeros.  Returns its length. */
static size_t
copy_key(uint8_t key[TREE_KEY], const struct page_node *v)
{
	size_t n = v->nprefix < TREE_KEY ? v->nprefix : TREE_KEY;
	size_t more = v->nsuffix < TREE_KEY - n ? v->nsuffix : TREE_KEY - n;

	memset(key, 0, TREE_KEY);
	memcpy(key, v->prefix, n);
	memcpy(key + n, v->suffix, more);
	return n + more;
}

/* Notes all leaves that no branch leads to. */
static void
find_lost(struct tree *t)
{
	struct page_node v;
	struct tree_leaf f, *leaf;
	struct reason w;
	size_t len;
	uint32_t n;

	t->searched = 1;
	if (!may_sweep(t))
		return;
	for (n = 1; n <= t->e->last && t->nleaf < TREE_LOST_MAX; n++) {
		if (!page_load(t->e, &t->stray, n, &w) ||
		    !is_leaf(t, &t->stray) || t->stray.nodes == 0 ||
		    !page_node(t->e, &t->stray, 1, &v))
			continue;
		f.number = n;
		len = copy_key(f.key, &v);
		if (descend(t, f.key, len, &v, &w) == 1 &&
		    t->level[t->depth - 1].page.number == n)
			continue;
		/* the size doubles at each power of two */
		if ((t->nleaf & (t->nleaf - 1)) == 0) {
			leaf = realloc(t->leaf,
			    (t->nleaf == 0 ? 1 : 2 * t->nleaf) * sizeof(*leaf));
			if (leaf == NULL)
				heap_nomem();
			t->leaf = leaf;
		}
		t->leaf[t->nleaf++] = f;
	}
	if (t->nleaf > 0)
		qsort(t->leaf, t->nleaf, sizeof(*t->leaf), cmp_leaf);
}

/* Does as tree_find(), among the leaves that no branch leads to. */
static int
find_stray(struct tree *t, const uint8_t *key, size_t n, struct page_node *v)
{
	uint8_t want[TREE_KEY] = { 0 };
	size_t low = 0, high = t->nleaf, mid, i;
	struct reason w;
	unsigned at;

	memcpy(want, key, n);
	while (low < high) {
		mid = (low + high) / 2;
		if (memcmp(t->leaf[mid].key, want, TREE_KEY) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	/* in the last one that begins before it, or the one behind that */
	for (i = low == 0 ? 0 : low - 1; i < t->nleaf && i <= low; i++) {
		if (!load(t, &t->stray, t->leaf[i].number, &w))
			continue;
		at = first_node(t, &t->stray, key, n);
		for (; at > 0 && at <= t->stray.nodes &&
		     page_node(t->e, &t->stray, at, v);
		     at++)
			if (!v->deleted)
				return 1;
	}
	return 0;
}

int
tree_find(struct tree *t, const uint8_t *key, size_t n, struct page_node *v,
    struct reason *w)
{
	struct page_node other;
	int rc = descend(t, key, n, v, w);

	if (rc == -1 && !t->searched) {
		t->e->fault(t->e->ctx, t->name, w);
		find_lost(t);
	}
	if (t->nleaf == 0 || !find_stray(t, key, n, &other))
		return rc;
	/* the nearer one counts */
	if (rc != 1 || page_key_cmp(&other, key, n) == 0)
		*v = other;
	return 1;
}

void
tree_free(struct tree *t)
{
	int i;

	for (i = 0; i < TREE_DEPTH_MAX; i++)
		free(t->level[i].page.data);
	free(t->stray.data);
	free(t->seen);
	free(t->leaf);
	memset(t, 0, sizeof(*t));
}
