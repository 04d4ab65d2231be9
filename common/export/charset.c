#include "export/charset.h"

#include <iconv.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

/* A converted name, kept since the same few come again and again. */
struct name {
	struct text from, to; /* owned */
};

struct charset {
	iconv_t cd;
	void *names; /* a tree of struct name */
};

struct charset *
charset_new(const char *name, struct reason *w)
{
	struct charset *c = calloc(1, sizeof(*c));

	if (c == NULL)
		heap_nomem();
	if ((c->cd = iconv_open("UTF-8", name)) != (iconv_t)-1)
		return c;
	free(c);
	reason_set(w, "usage",
	    "-i %s: no such charset here (iconv -l lists those that there are)",
	    name);
	return NULL;
}

static void
free_name(void *p)
{
	struct name *n = p;

	free((char *)(uintptr_t)n->from.s);
	free((char *)(uintptr_t)n->to.s);
	free(n);
}

void
charset_free(struct charset *c)
{
	if (c == NULL)
		return;
	(void)iconv_close(c->cd);
	tdestroy(c->names, free_name);
	free(c);
}

static int
compare(const void *a, const void *b)
{
	const struct text *x = &((const struct name *)a)->from;
	const struct text *y = &((const struct name *)b)->from;

	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return memcmp(x->s, y->s, x->n);
}

/* Converts a name, or copies it if that fails. */
static struct text
convert(struct charset *c, struct text from)
{
	size_t in = from.n, left = 4 * from.n;
	char *s = malloc(left + 1), *p = s, *q = (char *)(uintptr_t)from.s;
	struct text to = { s, 0 };

	if (s == NULL)
		heap_nomem();
	(void)iconv(c->cd, NULL, NULL, NULL, NULL);
	if (iconv(c->cd, &q, &in, &p, &left) == (size_t)-1 ||
	    iconv(c->cd, NULL, NULL, &p, &left) == (size_t)-1)
		p = mempcpy(s, from.s, from.n);
	to.n = (size_t)(p - s);
	*p = '\0';
	return to;
}

struct text
charset_name(struct charset *c, struct text from)
{
	struct name key, *n, **at;

	if (c == NULL || from.s == NULL || text_utf8(from.s, from.n))
		return from;
	key.from = from;
	if ((at = tfind(&key, &c->names, compare)) != NULL)
		return (*at)->to;
	if ((n = malloc(sizeof(*n))) == NULL ||
	    (n->from.s = strndup(from.s, from.n)) == NULL)
		heap_nomem();
	n->from.n = from.n; /* of a path: there is no NUL in it */
	n->to = convert(c, from);
	if (tsearch(n, &c->names, compare) == NULL)
		heap_nomem();
	return n->to;
}
