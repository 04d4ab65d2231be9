#ifndef ESE_RECORD_H
#define ESE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/page.h"
#include "ese/schema.h"

/*
 * Splits a row into fixed, variable and tagged columns; the last may have
 * several values.
 */

enum record_form {
	RECORD_PLAIN,
	RECORD_NULL,
	RECORD_COMPRESSED,
	RECORD_LONG, /* kept elsewhere: p is the number */
	RECORD_ENCRYPTED
};

struct record_field {
	const struct schema_column *column;
	const uint8_t *p; /* in the record, or the column's default */
	size_t n;
	enum record_form form;
};

struct record {
	struct record_field *v; /* the values of one column are neighbours */
	size_t n;
	size_t room;
	struct record_field own; /* default of a column */
};

/*
 * Splits the data of a node, and skips columns that the catalog does not have.
 * Returns 1, or 0 with *w: none of it can be trusted.
 */
int record_split(struct record *, const struct ese *,
    const struct schema_table *, const struct page_node *, struct reason *w);
void record_free(struct record *);

/*
 * Returns the first value of a column, or its default, until the next call;
 * NULL if there is neither.
 */
const struct record_field *record_get0(struct record *,
    const struct schema_column *);

#endif
