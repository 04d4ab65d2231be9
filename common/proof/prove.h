#ifndef PROOF_PROVE_H
#define PROOF_PROVE_H

#include "base/reason.h"
#include "key/cert.h"
#include "record/stream_read.h"

/* Checks what a record claims against the certificate and key it carries. */

/*
 * Checks a `key' or `cert' record: its serial, spki, sha1 and sha256 must be
 * those of its certificate; its key, if at hand, must be whole and belong to
 * the certificate.  Unless the seal is closed, the certificate must parse as a
 * whole.  Returns 1, with *cert described if it was parsed, for the caller to
 * free with cert_free(); or 0 with *w.  An `archived' record with a certificate
 * is checked in the same way; records of other types pass; for both *cert is
 * NULL.  Unless blob is NULL, it receives the BLOB of the key that
 * match_prove() gives.
 */
int prove_record(const struct stream_in *, struct cert **cert, uint8_t **blob,
    size_t *len, struct reason *w);

#endif
