#ifndef ARCHIVED_H
#define ARCHIVED_H

#include <openssl/x509.h>

#include "cred.h"
#include "db.h"
#include "rec.h"
#include "why.h"

/* The `archived' record: a row of the archive. */

/*
 * Writes one row: without its blob if list, else with the archived key as it
 * is or, with the credential of the CA, as a signed recovery blob that also
 * carries the certificates kras.  Output that is lost exits 2.
 * Returns 1, or 0 with *w, and then nothing was written.
 */
int archived_put(struct rec_out *, const struct db_found *, int list,
    const struct cred_pair *ca, STACK_OF(X509) *kras, struct why *w);

#endif
