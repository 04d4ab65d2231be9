#ifndef ESE_TREE_H
#define ESE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/ese.h"
#include "ese/page.h"

/*
 * A tree of pages: all its leaves in order, and what a damaged tree has lost; or
 * one of them by its key.  One buffer a level is all it holds.
 */

#define TREE_DEPTH_MAX 16 /* levels */
#define TREE_KEY       16 /* bytes of a key that is looked up */
#define TREE_LOST_MAX  1000000 /* leaves to look for keys in that a tree lost */

struct tree {
	/* to be set */
	struct ese *e;
	const char *name; /* of the table, for faults */
	uint32_t root, object;
	/* own */
	struct tree_level {
		struct page page;
		unsigned node; /* the next one of it */
	} level[TREE_DEPTH_MAX];
	int depth; /* levels in use */
	int started;
	int lost; /* some page of it could not be read */
	uint32_t sweep; /* the next page of the file to look at for that */
	uint8_t *seen; /* a bit a page */
	struct tree_leaf {
		uint8_t key[TREE_KEY]; /* the first, zeros behind it */
		uint32_t number;
	} * leaf; /* what tree_find() does not reach by branches, in order */
	size_t nleaf;
	int searched; /* whether leaf is there */
	struct page stray; /* one of them */
};

/*
 * The next node that is not deleted, and after the last one those of leaves that
 * no branch leads to, if a branch was lost.  Says what is lost.  Returns 1, or 0
 * at the end.  The page that it is in, and its place there, are in *number, *at.
 */
int tree_next(struct tree *, struct page_node *, uint32_t *number,
    unsigned *at);

/* The node at such a place.  Returns 1, or 0 with *w. */
int tree_at(struct tree *, struct page_node *, uint32_t number, unsigned at,
    struct reason *w);

/*
 * The first node whose key is not less than this one of TREE_KEY bytes or
 * less.  Returns 1, 0 if there is none, -1 with *w if it may be on a page that
 * is lost.
 */
int tree_find(struct tree *, const uint8_t *key, size_t n, struct page_node *,
    struct reason *w);

void tree_free(struct tree *);

#endif
