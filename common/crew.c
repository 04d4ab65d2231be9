#include "crew.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "member.h"
#include "pool.h"
#include "tool.h"

#define AHEAD 4 /* members in hand of each: none waits for its next one */

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

/* An item as it is in memory, and what it points to behind it. */
static void
write_item(struct flat *f, const struct item *it)
{
	flat_add(f, it, sizeof(*it));
	if (it->sealed != NULL)
		flat_add_bytes(f, it->sealed, it->sealedlen);
	if (it->cert != NULL)
		cert_pack(it->cert, f);
	if (it->name != NULL)
		flat_add_bytes(f, it->name, it->namelen);
}

static void
read_item(struct flat *f, struct item *it)
{
	memcpy(it, flat_next(f, sizeof(*it)), sizeof(*it));
	if (it->sealed != NULL)
		it->sealed = flat_dup(f, &it->sealedlen);
	if (it->cert != NULL)
		it->cert = cert_unpack(f);
	if (it->name != NULL)
		it->name = flat_dup(f, &it->namelen);
}

/* Reads one member; the pool_work of a crew. */
static uint8_t *
work(void *ctx, uint8_t *job, size_t n, size_t *size)
{
	struct crew *crew = ctx;
	struct items l = { NULL, 0 };
	struct flat f = { NULL, 0, 0 };
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
	flat_add(&f, &r, sizeof(r));
	for (i = 0; i < l.n; i++)
		write_item(&f, &l.v[i]);
	items_free(&l);
	*size = f.at;
	return f.p;
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
	c->pool = pool_new(jobs, AHEAD, 0, work, c);
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
	struct flat f = { NULL, 0, 0 };
	struct report r;

	f.p = pool_get(crew->pool, &f.size, tag);
	memcpy(&r, flat_next(&f, sizeof(r)), sizeof(r));
	*w = r.why;
	l->n = 0;
	l->v = r.n == 0 ? NULL : calloc(r.n, sizeof(*l->v));
	if (l->v == NULL && r.n > 0)
		tool_nomem();
	while (l->n < r.n)
		read_item(&f, &l->v[l->n++]);
	OPENSSL_free(f.p);
	return r.ok;
}
