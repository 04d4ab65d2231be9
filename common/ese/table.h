#ifndef ESE_TABLE_H
#define ESE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* A table and its columns, as the catalog has them. */

#define TABLE_NAME 65 /* bytes of a name, with a NUL */

/* types of a column */
enum {
	COLUMN_BIT = 1,
	COLUMN_BYTE,
	COLUMN_SHORT,
	COLUMN_LONG,
	COLUMN_CURRENCY,
	COLUMN_SINGLE,
	COLUMN_DOUBLE,
	COLUMN_DATE,
	COLUMN_BINARY,
	COLUMN_TEXT,
	COLUMN_LONG_BINARY,
	COLUMN_LONG_TEXT,
	COLUMN_SLV,
	COLUMN_ULONG,
	COLUMN_LONGLONG,
	COLUMN_GUID,
	COLUMN_USHORT
};

/* identifiers of a column say where in a record it is */
#define COLUMN_VARIABLE 128 /* from here on of variable length */
#define COLUMN_TAGGED	256 /* from here on with its identifier beside it */

struct column {
	char name[TABLE_NAME];
	uint32_t table; /* object */
	uint32_t id, type;
	uint32_t size; /* bytes, where all values have so many */
	uint32_t codepage; /* of text: 1200 is UTF-16 */
	uint8_t *value; /* where a row does not say, or NULL */
	size_t len;
};

struct table {
	char name[TABLE_NAME];
	uint32_t object, root;
	uint32_t long_root, long_object; /* its long values; 0 is none */
	char template[TABLE_NAME]; /* the table that it has columns of */
	const struct table *base; /* that one, or NULL */
	const struct column *column; /* of it, by identifier */
	size_t ncolumns;
};

/* The column of this identifier, of the table or of its template, or NULL. */
const struct column *table_column0(const struct table *, uint32_t id,
    int of_template);

#endif
