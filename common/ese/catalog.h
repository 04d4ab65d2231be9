#ifndef ESE_CATALOG_H
#define ESE_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "ese/ese.h"
#include "ese/table.h"

/* The catalog: all tables of a database. */

#define CATALOG_TABLES_MAX  10000
#define CATALOG_COLUMNS_MAX 100000 /* of all tables */

struct catalog {
	struct table *table; /* by object */
	size_t n;
	/* own */
	struct column *column;
	size_t ncolumns;
};

/*
 * Reads the catalog, or its copy where it is damaged.  What cannot be read is a
 * fault of the file.
 */
void catalog_read(struct catalog *, struct ese *);
void catalog_free(struct catalog *);

/* The table of this name, or NULL. */
const struct table *catalog_table0(const struct catalog *, const char *name);

#endif
