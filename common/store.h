#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>

#include "why.h"

/*
 * Names files that are known to hold keys or certificates, in a way that is
 * not read here: ESE databases, Java and NSS key stores and the like.
 */

/*
 * Returns 1 with *w (reason "unsupported": what it is, and what to do) if the
 * n bytes, which may be the first of a file only, are of such a kind.
 */
int store_named(const uint8_t *p, size_t n, struct why *w);

#endif
