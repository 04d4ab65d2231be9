#ifndef FILE_P12_H
#define FILE_P12_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"
#include "lock/ahead.h"

/* PKCS#12 files (RFC 7292), old and new. */

#define P12_DEPTH_MAX 8 /* SafeContents within SafeContents */

/* Returns 1 if the bytes start as a PFX does: they need not be whole. */
int p12_is(const uint8_t *der, size_t n);

/*
 * What p12_read() will most likely derive, for ahead_derive(), or NULL.  The
 * work counts for no file: budget_start() comes before p12_read().
 */
struct ahead *p12_ahead(const uint8_t *der, size_t n, struct secrets *);

/*
 * Adds every key and certificate of the file to *l, each password tried
 * until the integrity check passes, or something opens where there is none
 * that can be checked; what cannot be read inside becomes a fault in *l.
 * Returns 1, or 0 with *w when nothing can be had: reason "password",
 * "damaged" or "unsupported".  Frees the struct ahead, which p12_ahead() made of
 * the same bytes, or is NULL.
 */
int p12_read(const uint8_t *der, size_t n, struct secrets *, struct ahead *,
    struct findings *l, struct reason *w);

#endif
