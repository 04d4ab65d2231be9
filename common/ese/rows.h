#ifndef ESE_ROWS_H
#define ESE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/longvalue.h"
#include "ese/record.h"
#include "ese/schema.h"
#include "ese/tree.h"

/* Reads the rows of a table, one by one, and their values. */

struct rows {
	const struct schema_table *table;
	struct record row; /* the row at hand */
	uint64_t number; /* its number, from 1 */
	uint32_t page; /* its place, for rows_at() */
	unsigned node;
	/* private */
	struct tree tree;
	struct longvalue *longs;
};

void rows_open(struct rows *, struct ese *, const struct schema_table *);
void rows_close(struct rows *);

/*
 * Goes to the next row, whose contents are valid until the next call, and
 * reports what is lost.  Returns 1, or 0 at the end.
 */
int rows_next(struct rows *);

/* Goes to the row at this place.  Returns 1, or 0 with *w. */
int rows_at(struct rows *, uint32_t page, unsigned node, struct reason *w);

/*
 * Gives the bytes of a value until the next call; for RECORD_NULL, NULL and 0.
 * Returns 1, or 0 with *w if the value is lost.
 */
int rows_value(struct rows *, const struct record_field *, const uint8_t **p,
    size_t *n, struct reason *w);

#endif
