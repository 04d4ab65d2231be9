#ifndef KEY_MATCH_H
#define KEY_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/tlv.h"

/* Whether a private key belongs to a certificate. */

/*
 * Checks that the PKCS#8 of n bytes is whole, as private_whole() does, and that
 * its public half is the SubjectPublicKeyInfo of a certificate.  Returns 1, or
 * 0 with *w (reason "key" or "unsupported").  Unless blob is NULL, *blob
 * becomes the BLOB of the key that winblob_new() gives, of *len bytes, or NULL.
 */
int match_prove(const uint8_t *p8, size_t n, const struct tlv_part *spki,
    uint8_t **blob, size_t *len, struct reason *w);

#endif
