#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Arrays that grow. */

/*
 * Returns the array v with room for at least n entries of size bytes each.  At
 * first v is NULL and *room, the number of entries it has room for, is 0; each
 * time it grows its size doubles at least, so that adding one by one stays
 * cheap. What is new is not cleared.  What it leaves behind is wiped; free the
 * array with OPENSSL_free(), which wipes it.  Exits 2 when memory is full.
 */
void *array_grow(void *v, size_t *room, size_t n, size_t size);

#endif
