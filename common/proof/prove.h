#ifndef PROOF_PROVE_H
#define PROOF_PROVE_H

#include "base/reason.h"
#include "key/cert.h"
#include "record/stream_read.h"

/* What a record claims, checked against the certificate and key it carries. */

/*
 * Checks a `key' or `cert' record: serial, spki, sha1 and sha256 are those of
 * its certificate, and the key, if it is at hand, is whole and belongs to it.
 * Other types pass, with *cert NULL.  Returns 1 and *cert (caller: cert_free;
 * not described), or 0 with *w.  If blob is not NULL it gives the BLOB of the
 * key, as match_prove().
 */
int prove_record(const struct stream_in *, struct cert **cert, uint8_t **blob,
    size_t *len, struct reason *w);

#endif
