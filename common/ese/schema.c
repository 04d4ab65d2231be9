#include "ese/schema.h"

#include <stdlib.h>

static int
cmp_id(const void *key, const void *column)
{
	uint32_t x = *(const uint32_t *)key;
	uint32_t y = ((const struct schema_column *)column)->id;

	return (x > y) - (x < y);
}

const struct schema_column *
schema_column0(const struct schema_table *t, uint32_t id, int of_template)
{
	const struct schema_column *c = NULL;

	if (!of_template || t->base == NULL)
		c = t->ncolumns == 0 ? NULL :
				       bsearch(&id, t->column, t->ncolumns,
					   sizeof(*t->column), cmp_id);
	if (c == NULL && t->base != NULL && t->base->ncolumns > 0)
		c = bsearch(&id, t->base->column, t->base->ncolumns,
		    sizeof(*t->column), cmp_id);
	return c;
}
