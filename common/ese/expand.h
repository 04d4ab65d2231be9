#ifndef ESE_EXPAND_H
#define ESE_EXPAND_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Expands compressed values: 7-bit characters, or the plain LZ77 of [MS-XCA]
 * 2.4, called xpress.
 */

/*
 * Expands n bytes into out, which has room for max.  Returns 1 and *len, or 0
 * with *w.
 */
int expand(const uint8_t *p, size_t n, uint8_t *out, size_t max, size_t *len,
    struct reason *w);

#endif
