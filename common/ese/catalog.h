#ifndef ESE_CATALOG_H
#define ESE_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "ese/ese.h"

/* The tables of a database and their columns. */

#define CATALOG_TABLES_MAX  10000
#define CATALOG_COLUMNS_MAX 100000 /* of all tables */
#define CATALOG_NAME	    65 /* bytes of a name, with a NUL */

/* types of a column */
enum {
	CATALOG_BIT = 1,
	CATALOG_BYTE,
	CATALOG_SHORT,
	CATALOG_LONG,
	CATALOG_CURRENCY,
	CATALOG_SINGLE,
	CATALOG_DOUBLE,
	CATALOG_DATE,
	CATALOG_BINARY,
	CATALOG_TEXT,
	CATALOG_LONG_BINARY,
	CATALOG_LONG_TEXT,
	CATALOG_SLV,
	CATALOG_ULONG,
	CATALOG_LONGLONG,
	CATALOG_GUID,
	CATALOG_USHORT
};

/* identifiers of a column say where in a record it is */
#define CATALOG_VARIABLE 128 /* from here on of variable length */
#define CATALOG_TAGGED	 256 /* from here on with its identifier beside it */

struct catalog_column {
	char name[CATALOG_NAME];
	uint32_t table; /* object */
	uint32_t id, type;
	uint32_t size; /* bytes, where all values have so many */
	uint32_t codepage; /* of text: 1200 is UTF-16 */
	uint8_t *value; /* where a row does not say, or NULL */
	size_t len;
};

struct catalog_table {
	char name[CATALOG_NAME];
	uint32_t object, root;
	uint32_t long_root, long_object; /* its long values; 0 is none */
	char template[CATALOG_NAME]; /* the table that it has columns of */
	const struct catalog_table *base; /* that one, or NULL */
	const struct catalog_column *column; /* of it, by identifier */
	size_t ncolumns;
};

struct catalog {
	struct catalog_table *table; /* by object */
	size_t n;
	/* own */
	struct catalog_column *column;
	size_t ncolumns;
};

/*
 * Reads the catalog, or its copy where it is damaged.  What cannot be read is a
 * fault of the file.
 */
void catalog_read(struct catalog *, struct ese *);
void catalog_free(struct catalog *);

/* The table of this name, or NULL. */
const struct catalog_table *catalog_table0(const struct catalog *,
    const char *name);

/* The column of this identifier, of the table or of its template, or NULL. */
const struct catalog_column *catalog_column0(const struct catalog_table *,
    uint32_t id, int of_template);

#endif
