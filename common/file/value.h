#ifndef FILE_VALUE_H
#define FILE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "file/findings.h"

/* Reads a database value of unknown kind. */

/* Returns 1 if the n bytes may be worth the work of value_read(). */
int value_may(const uint8_t *p, size_t n);

/*
 * Adds the keys and certificates of a value that is a file of its own, or in
 * which they lie somewhere.
 */
void value_read(const uint8_t *p, size_t n, struct secrets *,
    struct findings *);

#endif
