#ifndef ESE_CATALOG_H
#define ESE_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "ese/ese.h"
#include "ese/schema.h"

/* Reads the catalog: all tables of a database. */

#define CATALOG_TABLES_MAX  10000
#define CATALOG_COLUMNS_MAX 100000 /* of all tables */

struct catalog {
	struct schema_table *table; /* in the order of object */
	size_t n;
	/* private */
	struct schema_column *column;
	size_t ncolumns;
};

/*
 * Reads the catalog, or its copy where it is damaged.  What cannot be read
 * becomes a fault of the file.
 */
void catalog_read(struct catalog *, struct ese *);
void catalog_free(struct catalog *);

/* Returns the table of this name, or NULL. */
const struct schema_table *catalog_table0(const struct catalog *,
    const char *name);

/*
 * Returns the column of this name, or NULL.  In the file a `$' may precede the
 * name, as it does those of text in a CA's database.
 */
const struct schema_column *catalog_find0(const struct schema_table *,
    const char *name);

/* Returns 1 if the database is that of a Windows CA. */
int catalog_is_ca(const struct catalog *);

#endif
