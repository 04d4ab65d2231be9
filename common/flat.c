#include "flat.h"

#include <openssl/crypto.h>
#include <string.h>

#include "tool.h"

#define FIRST 4096 /* bytes: most need no more */

static void
resize(struct flat *f, size_t size)
{
	uint8_t *q = OPENSSL_realloc(f->p, size);

	if (q == NULL)
		tool_nomem();
	f->p = q;
	f->size = size;
}

void
flat_room(struct flat *f, size_t n)
{
	if (f->p == NULL)
		resize(f, n);
	else if (f->at + n > f->size)
		resize(f, 2 * (f->at + n) + FIRST);
}

void
flat_add(struct flat *f, const void *p, size_t n)
{
	if (f->at + n > f->size)
		resize(f, 2 * (f->at + n) + FIRST);
	if (n > 0)
		memcpy(f->p + f->at, p, n);
	f->at += n;
}

void
flat_add_bytes(struct flat *f, const void *p, size_t n)
{
	flat_add(f, &n, sizeof(n));
	flat_add(f, p, n);
}

void
flat_add_str(struct flat *f, const char *s)
{
	flat_add(f, s, strlen(s) + 1);
}

const void *
flat_next(struct flat *f, size_t n)
{
	f->at += n;
	return f->p + f->at - n;
}

const void *
flat_bytes(struct flat *f, size_t *n)
{
	memcpy(n, flat_next(f, sizeof(*n)), sizeof(*n));
	return flat_next(f, *n);
}

const char *
flat_str(struct flat *f)
{
	return flat_next(f, strlen((const char *)f->p + f->at) + 1);
}

void *
flat_dup(struct flat *f, size_t *n)
{
	const void *p = flat_bytes(f, n);
	char *q;

	if (*n == 0)
		return NULL;
	/* a NUL behind it makes a string of a name */
	if ((q = OPENSSL_malloc(*n + 1)) == NULL)
		tool_nomem();
	memcpy(q, p, *n);
	q[*n] = '\0';
	return q;
}

char *
flat_strdup(struct flat *f)
{
	char *s = OPENSSL_strdup(flat_str(f));

	if (s == NULL)
		tool_nomem();
	return s;
}
