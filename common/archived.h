#ifndef ARCHIVED_H
#define ARCHIVED_H

#include "db.h"
#include "rec.h"
#include "recovery.h"
#include "why.h"

/* The `archived' record: a row of the archive. */

/*
 * Writes one row: without its blob if list, else with the archived key as it
 * is or, if a CA signs, as a signed recovery blob.  Output that is lost exits 2.
 * Returns 1, or 0 with *w, and then nothing was written.
 */
int archived_put(struct rec_out *, const struct db_found *, int list,
    const struct recovery_ca *, struct why *w);

#endif
