#ifndef FILE_PEM_H
#define FILE_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/secret.h"
#include "file/findings.h"

/* Reads PEM (RFC 7468), with text between the blocks, and with DEK-Info. */

#define PEM_BEGIN "-----BEGIN "

/*
 * Looks for PEM_BEGIN in the next n bytes of a file that comes in pieces.
 * *seen is 0 at first, and is the state of the search.  Returns 1 once found.
 */
int pem_seen(size_t *seen, const uint8_t *p, size_t n);

/* Returns 1 if PEM_BEGIN is among the n bytes. */
int pem_is(const uint8_t *p, size_t n);

/* Reads all blocks, as der_read() does. */
int pem_read(const uint8_t *p, size_t n, struct secrets *, struct findings *l,
    struct reason *w);

#endif
