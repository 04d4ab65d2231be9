#ifndef ESE_SCHEMA_H
#define ESE_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

/* Tables and columns, as the catalog describes them. */

#define SCHEMA_NAME 65 /* bytes of a name with its NUL */

/* column types */
enum {
	SCHEMA_BIT = 1,
	SCHEMA_BYTE,
	SCHEMA_SHORT,
	SCHEMA_LONG,
	SCHEMA_CURRENCY,
	SCHEMA_SINGLE,
	SCHEMA_DOUBLE,
	SCHEMA_DATE,
	SCHEMA_BINARY,
	SCHEMA_TEXT,
	SCHEMA_LONG_BINARY,
	SCHEMA_LONG_TEXT,
	SCHEMA_SLV,
	SCHEMA_ULONG,
	SCHEMA_LONGLONG,
	SCHEMA_GUID,
	SCHEMA_USHORT
};

/* the identifier of a column tells its place in a record */
#define SCHEMA_VARIABLE 128 /* from here on: variable length */
#define SCHEMA_TAGGED	256 /* from here on: with its identifier beside it */

struct schema_column {
	char name[SCHEMA_NAME];
	uint32_t table; /* object */
	uint32_t id, type;
	uint32_t size; /* bytes of a value of fixed size */
	uint32_t codepage; /* of text: 1200 is UTF-16 */
	uint8_t *value; /* default of a row, or NULL */
	size_t len;
};

struct schema_table {
	char name[SCHEMA_NAME];
	uint32_t object, root;
	uint32_t long_root, long_object; /* of its long values, or 0 */
	char template[SCHEMA_NAME]; /* the table whose columns it has too */
	const struct schema_table *base; /* that table, or NULL */
	const struct schema_column *column; /* in the order of identifiers */
	size_t ncolumns;
};

/* Returns the table's or its template's column of this identifier, or NULL. */
const struct schema_column *schema_column0(const struct schema_table *,
    uint32_t id, int of_template);

#endif
