#ifndef ESE_RECORD_H
#define ESE_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/page.h"
#include "ese/schema.h"

/*
 * A row, taken apart: fixed columns, variable ones, and tagged ones, which may
 * have several values.
 */

enum record_form {
	RECORD_PLAIN,
	RECORD_NULL,
	RECORD_COMPRESSED,
	RECORD_LONG, /* kept elsewhere: p is its number */
	RECORD_ENCRYPTED
};

struct record_field {
	const struct schema_column *column;
	const uint8_t *p; /* in the record, or the column's own */
	size_t n;
	enum record_form form;
};

struct record {
	struct record_field *v; /* several values of a column are neighbours */
	size_t n;
	size_t room;
	struct record_field own; /* of a column, where the row says nothing */
};

/*
 * Takes the data of a node apart.  Returns 1, or 0 with *w: nothing of it can be
 * trusted.  Columns that the catalog does not have are passed over.
 */
int record_split(struct record *, const struct ese *,
    const struct schema_table *, const struct page_node *, struct reason *w);
void record_free(struct record *);

/*
 * The first value of a column, in the row or else its own, which is valid until
 * the next call; or NULL if it has none.
 */
const struct record_field *record_get0(struct record *,
    const struct schema_column *);

#endif
