#ifndef ESE_CATALOG_H
#define ESE_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "ese/ese.h"
#include "ese/schema.h"

/* The catalog: all tables of a database. */

#define CATALOG_TABLES_MAX  10000
#define CATALOG_COLUMNS_MAX 100000 /* of all tables */

struct catalog {
	struct schema_table *table; /* by object */
	size_t n;
	/* own */
	struct schema_column *column;
	size_t ncolumns;
};

/*
 * Reads the catalog, or its copy where it is damaged.  What cannot be read is a
 * fault of the file.
 */
void catalog_read(struct catalog *, struct ese *);
void catalog_free(struct catalog *);

/* The table of this name, or NULL. */
const struct schema_table *catalog_table0(const struct catalog *,
    const char *name);

/*
 * The column of this name, or NULL.  In the file a `$' may stand before it, as
 * before those of text in the database of a CA.
 */
const struct schema_column *catalog_find0(const struct schema_table *,
    const char *name);

/* Returns 1 if the database is that of a Windows CA. */
int catalog_is_ca(const struct catalog *);

#endif
