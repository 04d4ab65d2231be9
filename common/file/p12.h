#ifndef FILE_P12_H
#define FILE_P12_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"
#include "lock/ahead.h"

/* Reads PKCS#12 files (RFC 7292), old and new. */

#define P12_DEPTH_MAX 8 /* SafeContents within SafeContents */

/* Returns 1 if the bytes start as a PFX does; they need not be whole. */
int p12_is(const uint8_t *der, size_t n);

/*
 * Returns what p12_read() will most likely derive, for ahead_derive(), or NULL.
 * The work counts for no file: budget_start() comes before p12_read().
 */
struct ahead *p12_ahead(const uint8_t *der, size_t n, struct secrets *);

/*
 * Adds every key and certificate of the file to *l, and a fault for what cannot
 * be read.  Tries each password until the integrity check passes or, if that
 * cannot be checked, something opens.  Returns 1, or 0 with *w (reason
 * "password", "damaged" or "unsupported") if nothing can be had.  Frees the
 * struct ahead, which is p12_ahead()'s for the same bytes, or NULL.
 */
int p12_read(const uint8_t *der, size_t n, struct secrets *, struct ahead *,
    struct findings *l, struct reason *w);

#endif
