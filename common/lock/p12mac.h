#ifndef LOCK_P12MAC_H
#define LOCK_P12MAC_H

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "base/reason.h"
#include "lock/ahead.h"
#include "lock/passform.h"

/*
 * Checks the integrity of a PKCS#12 file: MacData of RFC 7292 section 4, with
 * the HMAC of its appendix B or with PBMAC1 (RFC 9579), which OpenSSL 3.0
 * lacks.
 */

struct p12mac;

/*
 * Parses the parts of the check; content must outlive it.  Returns NULL with
 * *w: "damaged", or "unsupported" or "ceiling" if it cannot be checked here.
 */
struct p12mac *p12mac_new(const ASN1_TYPE *macdata,
    const ASN1_OCTET_STRING *content, struct reason *w);
void p12mac_free(struct p12mac *);

/* Adds what p12mac_check() will derive from the form. */
void p12mac_ahead(struct ahead *, const struct p12mac *);

/* Returns how many passwords take little more time to check than one. */
size_t p12mac_width(const struct p12mac *);

/*
 * Returns 1 if the check succeeds with this password, 0 if not, -1 with *w if
 * the file has asked for too much work.  The struct ahead may be NULL.
 */
int p12mac_check(const struct p12mac *, const struct passform *,
    const struct ahead *, struct reason *w);

#endif
