#ifndef FILE_FOREIGN_H
#define FILE_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Names files of kinds that may hold keys or certificates but are not read
 * here: ESE databases, Java and NSS key stores and the like.
 */

/*
 * Returns 1 with *w (reason "unsupported": what it is, and what to do) if the n
 * bytes, which may be only the first of a file, are of such a kind.
 */
int foreign_named(const uint8_t *p, size_t n, struct reason *w);

/* Sets *w to what a file of unknown format is, if its name tells. */
void foreign_by_name(const char *path, struct reason *w);

#endif
