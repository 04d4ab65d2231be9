#ifndef FILE_VALUE_H
#define FILE_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "file/findings.h"

/* A value of a database, of which nobody says what it is. */

/* Returns 1 if it may be worth the work of value_read(). */
int value_may(const uint8_t *p, size_t n);

/*
 * Adds the keys and certificates that it holds: it is a file of its own, or they
 * lie somewhere in it.
 */
void value_read(const uint8_t *p, size_t n, struct secrets *,
    struct findings *);

#endif
