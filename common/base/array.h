#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Growing arrays. */

/*
 * Returns the array v with room for at least n entries of size bytes each.  At
 * first v is NULL and *room, the number of entries it has room for, is 0.  Its
 * size at least doubles, so that adding entries one by one stays cheap.  New
 * entries are not cleared.  The caller frees it with OPENSSL_free(); all memory
 * is wiped.  Exits 2 when memory is full.
 */
void *array_grow(void *v, size_t *room, size_t n, size_t size);

#endif
