#ifndef MAC_H
#define MAC_H

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "pbe.h"
#include "why.h"

/*
 * The integrity check of a PKCS#12 file: MacData of RFC 7292 section 4, with
 * the HMAC of its appendix B or with PBMAC1 (RFC 9579), which OpenSSL 3.0 does
 * not know.
 */

struct mac;

/*
 * Looks up what the check is made of; content must outlive it.  NULL with *w:
 * "damaged", or "unsupported" or "ceiling" if it cannot be checked here.
 */
struct mac *mac_new(const ASN1_TYPE *macdata, const ASN1_OCTET_STRING *content,
    struct why *w);
void mac_free(struct mac *);

/* Notes what mac_check() will derive from this password: see kdf_plan(). */
void mac_plan(const struct mac *, const struct pbe_form *);

/*
 * Returns 1 if the check is right under this password, 0 if not, -1 with *w
 * if the file has asked for too much work.
 */
int mac_check(const struct mac *, const struct pbe_form *, struct why *w);

#endif
