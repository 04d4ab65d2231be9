#ifndef ESE_VALUES_H
#define ESE_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "ese/catalog.h"

/* Every value of a database, whatever it is for. */

struct values {
	struct ese *e;
	const struct catalog *catalog;
	/* is told of each row; 0 ends the reading */
	int (*row)(void *ctx);
	/* gets each value; source is TABLE/row/COLUMN */
	void (
	    *found)(void *ctx, const char *source, const uint8_t *p, size_t n);
	/* gets each table at its end */
	void (*table)(void *ctx, const struct schema_table *, uint64_t rows);
	void *ctx;
};

/*
 * Each may be NULL.  A value that is lost is a fault under its source.  Returns
 * 1, or 0 if row() ended it.
 */
int values_each(const struct values *);

#endif
