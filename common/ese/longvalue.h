#ifndef ESE_LONGVALUE_H
#define ESE_LONGVALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/schema.h"
#include "ese/tree.h"

/*
 * Values of more than about a thousand bytes: chunks in a tree that each table
 * has for them, found by the number that stands in the row.
 */

#define LONGVALUE_MAX (1024 * 1024) /* bytes */

struct longvalue {
	struct tree t;
	/* the value, or room for one that is compressed in its row */
	uint8_t buf[LONGVALUE_MAX];
	uint8_t chunk[PAGE_LARGEST];
};

/* Of this table; caller frees. */
struct longvalue *longvalue_new(struct ese *, const struct schema_table *);
void longvalue_free(struct longvalue *);

/*
 * Reads the value with the number that stands at id, n bytes.  Returns 1, and
 * *len bytes are at buf, or 0 with *w.
 */
int longvalue_read(struct longvalue *, const uint8_t *id, size_t n, size_t *len,
    struct reason *w);

#endif
