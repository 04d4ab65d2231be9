#ifndef ESE_PAGE_H
#define ESE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/ese.h"

/* Reads a page, its checksums, and its nodes. */

#define PAGE_SMALLEST 2048
#define PAGE_LARGEST  32768

/* flags of a page */
#define PAGE_LEAF  2
#define PAGE_EMPTY 8
#define PAGE_SPACE 0x20
#define PAGE_NEW   0x800 /* records in the format from Exchange 2000 on */

struct page {
	uint8_t *data; /* page_size bytes; NULL: nothing was read yet */
	uint32_t number;
	uint32_t object; /* of its tree */
	uint32_t flags;
	unsigned nodes; /* how many; the first is node 1 */
};

struct page_node {
	int deleted;
	int old; /* a record in Exchange 5.5's format */
	/* the key: the start of a prefix that others share, and a suffix */
	const uint8_t *prefix, *suffix;
	size_t nprefix, nsuffix;
	const uint8_t *data; /* borrowed from the page, as all */
	size_t len;
};

/* Returns 1 if pages may have this size. */
int page_size_ok(uint32_t size);

/* Returns the checksum of a header, or of a page before Exchange 2003 SP1. */
uint32_t page_xor(const uint8_t *, size_t n);

/*
 * Reads page number n.  Returns 1, or 0 with *w: it is past the end of the
 * file, never used, or its checksum is wrong.
 */
int page_load(struct ese *, struct page *, uint32_t n, struct reason *w);

/* Gives node i, from 1.  Returns 1, or 0 if it is not within the page. */
int page_node(const struct ese *, const struct page *, unsigned i,
    struct page_node *);

/* Compares a node's key with n bytes, as memcmp(3) does. */
int page_key_cmp(const struct page_node *, const uint8_t *key, size_t n);

#endif
