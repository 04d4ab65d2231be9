#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/driver.h"

/*
 * Checks that the schema of an archive is that of ca-db(5): a planted trigger
 * or view could write other rows, or show others than there are.
 */

/*
 * Gives the SHA-256 of the schema; `which' names one if there are several.
 * Returns 1, or 0 with *w.
 */
int schema_digest(struct store *, const char *which, uint8_t sum[32],
    struct reason *w);

/* Returns 1 if the schema is as it must be, 0 if not, -1 with *w. */
int schema_same(struct store *, struct reason *w);

/*
 * Checks that an opened archive may be used, before a driver reads from it.
 * Returns 1, or 0 with *w.
 */
int schema_usable(struct store *, enum store_mode, struct reason *w);

#endif
