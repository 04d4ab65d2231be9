#ifndef FILE_P12_H
#define FILE_P12_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/* PKCS#12 files (RFC 7292), old and new. */

#define P12_DEPTH_MAX 8 /* SafeContents within SafeContents */

/* Returns 1 if the bytes start as a PFX does: they need not be whole. */
int p12_is(const uint8_t *der, size_t n);

/*
 * Adds every key and certificate of the file to *l, each password tried
 * until the integrity check passes, or something opens where there is none
 * that can be checked; what cannot be read inside becomes a fault in *l.
 * Returns 1, or 0 with *w when nothing can be had: reason "password",
 * "damaged" or "unsupported".
 */
int p12_read(const uint8_t *der, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#endif
