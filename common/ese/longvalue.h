#ifndef ESE_LONGVALUE_H
#define ESE_LONGVALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/schema.h"
#include "ese/tree.h"

/*
 * Reads values of more than about a thousand bytes: chunks in a tree of their
 * table, found by a number that is in the row.
 */

#define LONGVALUE_MAX (1024 * 1024) /* bytes */

struct longvalue {
	struct tree t;
	/* the value, or room for a compressed one of a row */
	uint8_t buf[LONGVALUE_MAX];
	uint8_t chunk[PAGE_LARGEST];
};

/* For the values of this table.  The caller frees it. */
struct longvalue *longvalue_new(struct ese *, const struct schema_table *);
void longvalue_free(struct longvalue *);

/*
 * Reads the value whose number is the n bytes at id.  Returns 1 with *len bytes
 * at buf, or 0 with *w.
 */
int longvalue_read(struct longvalue *, const uint8_t *id, size_t n, size_t *len,
    struct reason *w);

#endif
