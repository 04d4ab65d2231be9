#ifndef ESE_VALUES_H
#define ESE_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "ese/catalog.h"

/* Reads every value of a database, whatever it means. */

struct values {
	struct ese *e;
	const struct catalog *catalog;
	/* called for each row; 0 ends the reading */
	int (*row)(void *ctx);
	/* called for each value; source is TABLE/row/COLUMN */
	void (
	    *found)(void *ctx, const char *source, const uint8_t *p, size_t n);
	/* called at the end of each table */
	void (*table)(void *ctx, const struct schema_table *, uint64_t rows);
	void *ctx;
};

/*
 * Each function may be NULL.  A lost value is a fault with its source.  Returns
 * 1, or 0 if row() ended the reading.
 */
int values_each(const struct values *);

#endif
