#ifndef ESE_SCHEMA_H
#define ESE_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

/* A table and its columns, as the catalog has them. */

#define SCHEMA_NAME 65 /* bytes of a name, with a NUL */

/* types of a column */
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

/* identifiers of a column say where in a record it is */
#define SCHEMA_VARIABLE 128 /* from here on of variable length */
#define SCHEMA_TAGGED	256 /* from here on with its identifier beside it */

struct schema_column {
	char name[SCHEMA_NAME];
	uint32_t table; /* object */
	uint32_t id, type;
	uint32_t size; /* bytes, where all values have so many */
	uint32_t codepage; /* of text: 1200 is UTF-16 */
	uint8_t *value; /* where a row does not say, or NULL */
	size_t len;
};

struct schema_table {
	char name[SCHEMA_NAME];
	uint32_t object, root;
	uint32_t long_root, long_object; /* its long values; 0 is none */
	char template[SCHEMA_NAME]; /* the table that it has columns of */
	const struct schema_table *base; /* that one, or NULL */
	const struct schema_column *column; /* of it, by identifier */
	size_t ncolumns;
};

/* The column of this identifier, of the table or of its template, or NULL. */
const struct schema_column *schema_column0(const struct schema_table *,
    uint32_t id, int of_template);

#endif
