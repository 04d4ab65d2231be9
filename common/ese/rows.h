#ifndef ESE_ROWS_H
#define ESE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/longvalue.h"
#include "ese/record.h"
#include "ese/schema.h"
#include "ese/tree.h"

/* The rows of a table, one after the other, and their values. */

struct rows {
	const struct schema_table *table;
	struct record row; /* as it is now: see ese/record.h */
	uint64_t number; /* of the row, from 1 */
	uint32_t page; /* its place, for rows_at() */
	unsigned node;
	/* own */
	struct tree tree;
	struct longvalue *longs;
};

void rows_open(struct rows *, struct ese *, const struct schema_table *);
void rows_close(struct rows *);

/*
 * Goes to the next row; says what is lost.  Returns 1, or 0 at the end.  What is
 * in it is valid until the next call.
 */
int rows_next(struct rows *);

/* Goes to the row at such a place.  Returns 1, or 0 with *w. */
int rows_at(struct rows *, uint32_t page, unsigned node, struct reason *w);

/*
 * The bytes of a value, which are valid until the next call; NULL of length 0
 * for RECORD_NULL.  Returns 1, or 0 with *w: it should be there and is not.
 */
int rows_value(struct rows *, const struct record_field *, const uint8_t **p,
    size_t *n, struct reason *w);

#endif
