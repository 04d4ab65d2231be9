#ifndef FILE_RECORDS_H
#define FILE_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "file/findings.h"

/* Reads plain records (kms-record(5)), such as p12-extract(1) writes. */

/*
 * Adds the keys, certificates and faults of the records in the n bytes at p to
 * *l.  Returns 1, or 0 with *w if the records cannot be read to their end.
 */
int records_read(const uint8_t *p, size_t n, struct findings *l,
    struct reason *w);

#endif
