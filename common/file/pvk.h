#ifndef FILE_PVK_H
#define FILE_PVK_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/* Reads .pvk files of Windows: a CryptoAPI BLOB, encrypted with RC4 or not. */

/* Returns 1 if the n bytes begin as one. */
int pvk_is(const uint8_t *p, size_t n);

/* Adds its key.  Returns 1, or 0 with *w. */
int pvk_read(const uint8_t *p, size_t n, struct secrets *, struct findings *,
    struct reason *w);

#endif
