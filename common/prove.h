#ifndef PROVE_H
#define PROVE_H

#include "cert.h"
#include "rec.h"
#include "stream.h"
#include "why.h"

/* What a record claims, checked against the certificate and key it carries. */

/*
 * Checks a `key' or `cert' record: serial, spki, sha1 and sha256 are those of
 * its certificate, which parses unless the seal stays closed, and the key, if
 * it is at hand, is whole and belongs to it.  Other types pass, with *cert NULL.
 * Returns 1 and *cert (caller: cert_free; not described), or 0 with *w.
 */
int prove_record(const struct stream_in *, struct cert **cert, struct why *w);

#endif
