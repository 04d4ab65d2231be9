#ifndef FILE_EPF_H
#define FILE_EPF_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/*
 * Reads Entrust and Outlook security profiles (.epf).  The format is not
 * public: a profile is recognised by content, and no name in it is trusted.  A
 * table holds the key derivations that are tried; epf-extract(1) lists them,
 * and has the one public description (openssl-users, 9 October 2020).
 */

#define EPF_VALUE_MAX  (256 * 1024) /* bytes of one value, as text */
#define EPF_LOCKED_MAX 1000 /* encrypted values of one profile */
#define EPF_WORK_MAX   50000000 /* rounds of a hash in all */

/*
 * Returns 1 if the bytes are text with a [Section] line and at least one value
 * that is a certificate.
 */
int epf_is(const uint8_t *p, size_t n);

/*
 * Adds the profile's certificates to *l, which is empty, and the keys that a
 * password opens, including those for signing.  One fault names what stays
 * closed, or an encryption certificate without a key.  Returns 1, or 0 with *w
 * if it is no profile.
 */
int epf_read(const uint8_t *p, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#endif
