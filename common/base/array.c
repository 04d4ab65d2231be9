#include "base/array.h"

#include <openssl/crypto.h>
#include <stdint.h>

#include "base/heap.h"

#define FIRST 4 /* entries, at least */

void *
array_grow(void *v, size_t *room, size_t n, size_t size)
{
	size_t more = *room < FIRST ? FIRST : 2 * *room;

	if (n <= *room)
		return v;
	if (more < n)
		more = n;
	if (more > SIZE_MAX / 2 / size ||
	    (v = OPENSSL_realloc(v, more * size)) == NULL)
		heap_nomem();
	*room = more;
	return v;
}
