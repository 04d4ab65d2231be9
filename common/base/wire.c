#include "base/wire.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/array.h"
#include "base/heap.h"

#define FIRST 4096 /* bytes: most need no more */

void
wire_room(struct wire *f, size_t n)
{
	f->p = array_grow(f->p, &f->size, f->at + n, 1);
}

void
wire_add(struct wire *f, const void *p, size_t n)
{
	if (f->at + n > f->size)
		wire_room(f, n + FIRST);
	if (n > 0)
		memcpy(f->p + f->at, p, n);
	f->at += n;
}

void
wire_add_bytes(struct wire *f, const void *p, size_t n)
{
	wire_add(f, &n, sizeof(n));
	wire_add(f, p, n);
}

void
wire_add_str(struct wire *f, const char *s)
{
	wire_add(f, s, strlen(s) + 1);
}

const void *
wire_next(struct wire *f, size_t n)
{
	f->at += n;
	return f->p + f->at - n;
}

const void *
wire_bytes(struct wire *f, size_t *n)
{
	memcpy(n, wire_next(f, sizeof(*n)), sizeof(*n));
	return wire_next(f, *n);
}

const char *
wire_str(struct wire *f)
{
	return wire_next(f, strlen((const char *)f->p + f->at) + 1);
}

void *
wire_dup(struct wire *f, size_t *n)
{
	const void *p = wire_bytes(f, n);
	char *q;

	if (*n == 0)
		return NULL;
	/* a NUL behind it makes a string of a name */
	if ((q = OPENSSL_malloc(*n + 1)) == NULL)
		heap_nomem();
	memcpy(q, p, *n);
	q[*n] = '\0';
	return q;
}

char *
wire_strdup(struct wire *f)
{
	char *s = OPENSSL_strdup(wire_str(f));

	if (s == NULL)
		heap_nomem();
	return s;
}
