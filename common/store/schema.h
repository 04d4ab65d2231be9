#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/driver.h"

/* The schema of an archive, which must be that of ca-db(5). */

/* SHA-256 of the schema as it is.  Returns 1, or 0 with *w. */
int schema_digest(struct store *, uint8_t sum[32], struct reason *w);

/* Returns 1 if the schema is as it ought to be, 0 if not, -1 with *w. */
int schema_same(struct store *, struct reason *w);

/*
 * May an archive that is there be written?  A trigger or view that somebody
 * planted could write other rows, or show others than there are.  Returns 1, or
 * 0 with *w.
 */
int schema_writable(struct store *, struct reason *w);

#endif
