#ifndef PROOF_PROVE_H
#define PROOF_PROVE_H

#include "base/reason.h"
#include "key/cert.h"
#include "record/stream_read.h"

/* What a record claims, checked against the certificate and key it carries. */

/*
 * Checks a `key' or `cert' record: its serial, spki, sha1 and sha256 must be
 * those of its certificate, and its key, if at hand, whole and of that
 * certificate.  Where the seal is open, or there is none, the certificate must
 * parse as a whole.  Returns 1 and in *cert the certificate, described if it was
 * parsed, which the caller frees with cert_free(); or 0 with *w.  An `archived'
 * record with a certificate is checked in the same way, and records of other
 * types pass; of both *cert is NULL.  If blob is not NULL it gets the BLOB of
 * the key as match_prove() gives it.
 */
int prove_record(const struct stream_in *, struct cert **cert, uint8_t **blob,
    size_t *len, struct reason *w);

#endif
