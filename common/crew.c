#include "crew.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "member.h"
#include "pool.h"
#include "tool.h"

struct crew {
	struct pool *pool;
	struct secrets *secrets;
	const struct map *map;
};

/* What comes before a member: its line of the map. */
struct order {
	size_t line; /* SIZE_MAX: none */
};

/* What comes before the items: how it went. */
struct report {
	int ok;
	struct why why;
	size_t n;
};

/* Bytes to write to, or to read from. */
struct cursor {
	uint8_t *p;
	size_t size, at;
};

static void
add(struct cursor *c, const void *p, size_t n)
{
	uint8_t *q;

	if (c->at + n > c->size) {
		c->size = 2 * (c->at + n);
		if ((q = OPENSSL_clear_realloc(c->p, c->at, c->size)) == NULL)
			tool_nomem();
		c->p = q;
	}
	if (n > 0)
		memcpy(c->p + c->at, p, n);
	c->at += n;
}

/* The next n bytes, where they stand. */
static const uint8_t *
next(struct cursor *c, size_t n)
{
	c->at += n;
	return c->p + c->at - n;
}

/*
 * Items travel as they are in memory, and what they point to behind them: who
 * reads them is the same program, at the same place, as who wrote them.
 */
static void
write_item(struct cursor *c, const struct item *it)
{
	add(c, it, sizeof(*it));
	if (it->sealed != NULL)
		add(c, it->sealed, it->sealedlen);
	if (it->cert != NULL) {
		add(c, &it->cert->len, sizeof(it->cert->len));
		add(c, it->cert->der, it->cert->len);
	}
	if (it->name != NULL)
		add(c, it->name, it->namelen);
}

static void
read_item(struct cursor *c, struct item *it)
{
	struct why w;
	size_t n;

	memcpy(it, next(c, sizeof(*it)), sizeof(*it));
	if (it->sealed != NULL)
		it->sealed = OPENSSL_memdup(next(c, it->sealedlen),
		    it->sealedlen);
	if (it->cert != NULL) {
		memcpy(&n, next(c, sizeof(n)), sizeof(n));
		if (!cert_new(&it->cert, next(c, n), n, &w))
			tool_nomem();
	}
	if (it->name != NULL) {
		it->name = OPENSSL_malloc(it->namelen + 1);
		memcpy(it->name, next(c, it->namelen), it->namelen);
		it->name[it->namelen] = '\0';
	}
}

/* Reads one member; the pool_work of a crew. */
static uint8_t *
work(void *ctx, uint8_t *job, size_t n, size_t *size)
{
	struct crew *crew = ctx;
	struct items l = { NULL, 0 };
	struct cursor c = { NULL, 0, 0 };
	struct report r;
	struct order o;
	size_t i;

	memcpy(&o, job, sizeof(o));
	memset(&r, 0, sizeof(r));
	if (o.line != SIZE_MAX)
		crew->secrets->first = crew->map->v[o.line].pass;
	r.ok = member_read(job + sizeof(o), n - sizeof(o), crew->secrets, &l,
	    &r.why);
	crew->secrets->first = NULL;
	r.n = l.n;
	add(&c, &r, sizeof(r));
	for (i = 0; i < l.n; i++)
		write_item(&c, &l.v[i]);
	items_free(&l);
	*size = c.at;
	return c.p;
}

struct crew *
crew_new(unsigned jobs, struct secrets *s, const struct map *map)
{
	struct crew *c = calloc(1, sizeof(*c));

	if (c == NULL)
		tool_nomem();
	c->secrets = s;
	c->map = map;
	items_share();
	c->pool = pool_new(jobs, work, c);
	return c;
}

void
crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	pool_free(c->pool);
	free(c);
}

size_t
crew_busy(const struct crew *c)
{
	return c == NULL ? 0 : pool_busy(c->pool);
}

int
crew_full(const struct crew *c)
{
	return pool_full(c->pool);
}

void
crew_put(struct crew *c, const uint8_t *p, size_t n, const struct map_line *m,
    void *tag)
{
	struct order o = { m == NULL ? SIZE_MAX : (size_t)(m - c->map->v) };

	pool_put(c->pool, &o, sizeof(o), p, n, tag);
}

int
crew_get(struct crew *crew, struct items *l, struct why *w, void **tag)
{
	struct cursor c = { NULL, 0, 0 };
	struct report r;

	c.p = pool_get(crew->pool, &c.size, tag);
	memcpy(&r, next(&c, sizeof(r)), sizeof(r));
	*w = r.why;
	l->n = 0;
	l->v = r.n == 0 ? NULL : calloc(r.n, sizeof(*l->v));
	if (l->v == NULL && r.n > 0)
		tool_nomem();
	while (l->n < r.n)
		read_item(&c, &l->v[l->n++]);
	OPENSSL_clear_free(c.p, c.size);
	return r.ok;
}
