#ifndef CA_ROW_H
#define CA_ROW_H

#include "base/reason.h"
#include "ca/blob_open.h"
#include "record/write.h"
#include "store/store.h"

/* Writes `archived' records, which are rows of the archive. */

/*
 * Writes one row: without its blob if list, else with the archived key or, if a
 * CA signs, a signed recovery blob.  Returns 1, or 0 with *w and nothing
 * written.  Exits 2 if output is lost.
 */
int row_put(struct rec_out *, const struct store_found *, int list,
    const struct blob_wrap_ca *, struct reason *w);

/*
 * Writes a row whose certificate is parsed.  recipients says who can open the
 * key (ca/edb.h), or is NULL.
 */
int row_put_cert(struct rec_out *, const struct store_found *,
    const struct cert *, const char *recipients, int list,
    const struct blob_wrap_ca *, struct reason *w);

#endif
