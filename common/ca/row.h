#ifndef CA_ROW_H
#define CA_ROW_H

#include "base/reason.h"
#include "ca/blob_open.h"
#include "record/write.h"
#include "store/store.h"

/* The `archived' record: a row of the archive. */

/*
 * Writes one row: without its blob if list, else with the archived key as it
 * is or, if a CA signs, as a signed recovery blob.  Output that is lost exits 2.
 * Returns 1, or 0 with *w, and then nothing was written.
 */
int row_put(struct rec_out *, const struct store_found *, int list,
    const struct blob_wrap_ca *, struct reason *w);

/*
 * The same of a row whose certificate is parsed; and with recipients, unless
 * NULL: who can open the key, as ca/edb.h has it.
 */
int row_put_cert(struct rec_out *, const struct store_found *,
    const struct cert *, const char *recipients, int list,
    const struct blob_wrap_ca *, struct reason *w);

#endif
