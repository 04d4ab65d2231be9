#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/* Descriptors read and written whole, whatever interrupts it. */

/*
 * Reads all of fd, at most max bytes, their number in *n.  The caller frees it
 * with OPENSSL_clear_free().  NULL with *w: "input" or "ceiling".
 */
uint8_t *io_slurp(int fd, size_t max, size_t *n, struct reason *w);

#endif
