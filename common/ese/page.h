#ifndef ESE_PAGE_H
#define ESE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/ese.h"

/* A page, its checksums, and the nodes in it. */

#define PAGE_SMALLEST 2048
#define PAGE_LARGEST  32768

/* flags of a page */
#define PAGE_LEAF  2
#define PAGE_EMPTY 8
#define PAGE_SPACE 0x20
#define PAGE_NEW   0x800 /* its records have the format of Exchange 2000 on */

struct page {
	uint8_t *data; /* page_size bytes, or NULL: nothing was read yet */
	uint32_t number;
	uint32_t object; /* of the tree that it belongs to */
	uint32_t flags;
	unsigned nodes; /* number; the first is node 1 */
};

struct page_node {
	int deleted;
	int old; /* a record in the format of Exchange 5.5 */
	/* the key is the first bytes of a prefix that others share, and more */
	const uint8_t *prefix, *suffix;
	size_t nprefix, nsuffix;
	const uint8_t *data; /* all borrow from the page */
	size_t len;
};

/* Returns 1 if pages may have this size. */
int page_size_ok(uint32_t size);

/* The checksum of a header, and of pages before Exchange 2003 SP1. */
uint32_t page_xor(const uint8_t *, size_t n);

/*
 * Reads page number n.  Returns 1, or 0 with *w: it is past the end of the file,
 * never used, or its checksum is wrong.
 */
int page_load(struct ese *, struct page *, uint32_t n, struct reason *w);

/* Node i, 1 to nodes.  Returns 1, or 0: it is not within its page. */
int page_node(const struct ese *, const struct page *, unsigned i,
    struct page_node *);

/* Compares the key of a node with n bytes, as memcmp(3). */
int page_key_cmp(const struct page_node *, const uint8_t *key, size_t n);

#endif
