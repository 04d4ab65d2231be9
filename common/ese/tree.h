#ifndef ESE_TREE_H
#define ESE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/ese.h"
#include "ese/page.h"

/*
 * Walks a tree of pages: gives all its leaves in order, and the losses of a
 * damaged tree; or one leaf by its key.  It holds one buffer a level.
 */

#define TREE_DEPTH_MAX 16 /* levels */
#define TREE_KEY       16 /* bytes of a key that is looked up */
#define TREE_LOST_MAX  1000000 /* lost leaves in which keys are looked up */

struct tree {
	/* set by the caller */
	struct ese *e;
	const char *name; /* of the table, for faults */
	uint32_t root, object;
	/* private */
	struct tree_level {
		struct page page;
		unsigned node; /* the next one in the page */
	} level[TREE_DEPTH_MAX];
	int depth; /* levels in use */
	int started;
	int lost; /* 1: some page could not be read */
	uint32_t sweep; /* the next page to search for lost leaves */
	uint8_t *seen; /* a bit a page */
	struct tree_leaf {
		uint8_t key[TREE_KEY]; /* the first key, then zeros */
		uint32_t number;
	} * leaf; /* leaves that no branch reaches, in order */
	size_t nleaf;
	int searched; /* 1: leaf was made */
	struct page stray; /* one such leaf */
};

/*
 * Gives the next node that is not deleted, and its page and place in *number
 * and *at; if a branch was lost, last the nodes of leaves that no branch
 * reaches.  Reports losses.  Returns 1, or 0 at the end.
 */
int tree_next(struct tree *, struct page_node *, uint32_t *number,
    unsigned *at);

/* Gives the node at this place.  Returns 1, or 0 with *w. */
int tree_at(struct tree *, struct page_node *, uint32_t number, unsigned at,
    struct reason *w);

/*
 * Gives the first node whose key is not less than this one, of at most TREE_KEY
 * bytes.  Returns 1, 0 if there is none, or -1 with *w if it may be on a lost
 * page.
 */
int tree_find(struct tree *, const uint8_t *key, size_t n, struct page_node *,
    struct reason *w);

void tree_free(struct tree *);

#endif
