#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/driver.h"

/*
 * The schema of an archive must be that of ca-db(5).  A trigger or view that
 * somebody planted could write other rows, or show others than there are.
 */

/*
 * SHA-256 of the schema as it is.  which tells the one to look at where there
 * are several.  Returns 1, or 0 with *w.
 */
int schema_digest(struct store *, const char *which, uint8_t sum[32],
    struct reason *w);

/* Returns 1 if the schema is as it ought to be, 0 if not, -1 with *w. */
int schema_same(struct store *, struct reason *w);

/*
 * May the archive that is opened be used?  Before anything is read from it the
 * drivers ask this.  Returns 1, or 0 with *w.
 */
int schema_usable(struct store *, enum store_mode, struct reason *w);

#endif
