#ifndef CA_DUMP_H
#define CA_DUMP_H

#include "base/reason.h"
#include "record/write.h"
#include "store/store.h"

/* Writes the records of ca-dump(1) other than rows, which ca-load(1) takes. */

/*
 * Writes the audit rows, the settings and the agents.  Returns 1, or 0 with *w.
 * Exits 2 if output is lost, as all functions here do.
 */
int dump_head(struct store *, struct rec_out *, struct reason *w);

/* Writes one `name' record.  Returns 1, or 0 with *w. */
int dump_name(struct rec_out *, const struct store_name *, struct reason *w);

/* Writes further names of rows, behind the rows.  Returns 1, or 0 with *w. */
int dump_names(struct store *, struct rec_out *, struct reason *w);

/*
 * Writes later versions of keys, and faults, to stand behind the rows.  Returns
 * 1, or 0 with *w.
 */
int dump_tail(struct store *, struct rec_out *, struct reason *w);

#endif
