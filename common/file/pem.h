#ifndef FILE_PEM_H
#define FILE_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/* PEM (RFC 7468), with text between the blocks, and with DEK-Info. */

/* Returns 1 if there is a PEM block among the n bytes. */
int pem_is(const uint8_t *p, size_t n);

/* Reads all blocks, as der_read() does. */
int pem_read(const uint8_t *p, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#endif
