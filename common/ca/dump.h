#ifndef CA_DUMP_H
#define CA_DUMP_H

#include "base/reason.h"
#include "record/write.h"
#include "store/store.h"

/*
 * The records that ca-dump(1) writes around those of the rows, and that ca-load(1)
 * takes.
 */

/*
 * Writes the audit rows, the settings and the agents.  Output that is lost
 * exits 2.  Returns 1, or 0 with *w.
 */
int dump_head(struct store *, struct rec_out *, struct reason *w);

/* Writes one `name' record.  Returns 1, or 0 with *w. */
int dump_name(struct rec_out *, const struct store_name *, struct reason *w);

/* Writes the names that rows have besides their own; behind the rows. */
int dump_names(struct store *, struct rec_out *, struct reason *w);

/*
 * Writes what belongs to the rows, and stands behind them: later versions of
 * keys, and faults.  Likewise.
 */
int dump_tail(struct store *, struct rec_out *, struct reason *w);

#endif
