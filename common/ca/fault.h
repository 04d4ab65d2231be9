#ifndef CA_FAULT_H
#define CA_FAULT_H

#include "base/reason.h"
#include "record/write.h"
#include "store/store.h"

/*
 * Writes the `fault' record of an archive: what could not be read, and which
 * key came later.  Returns 1, or 0 with *w if it is too long.  Exits 2 if
 * output is lost.
 */
int fault_put(struct rec_out *, const struct store_fault *, struct reason *w);

#endif
