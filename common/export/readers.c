#include "export/readers.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/wire.h"
#include "base/workers.h"
#include "file/file.h"

#define AHEAD 4 /* members in hand of each: none waits for its next one */

struct readers {
	struct workers *pool;
	struct secrets *secrets;
	const struct pathmap *map;
};

/* What goes in front of a member: its line of the map. */
struct readers_order {
	size_t line; /* SIZE_MAX: none */
};

/* What comes back in front of the findings. */
struct readers_report {
	int ok;
	struct reason why;
	size_t n;
};

/* A finding as it is in memory, and behind it what its pointers point to. */
static void
readers_write(struct wire *f, const struct finding *it)
{
	wire_add(f, it, sizeof(*it));
	if (it->sealed != NULL)
		wire_add_bytes(f, it->sealed, it->sealedlen);
	if (it->cert != NULL)
		cert_pack(it->cert, f);
	if (it->name != NULL)
		wire_add_bytes(f, it->name, it->namelen);
}

static void
readers_read(struct wire *f, struct finding *it)
{
	memcpy(it, wire_next(f, sizeof(*it)), sizeof(*it));
	if (it->sealed != NULL)
		it->sealed = wire_dup(f, &it->sealedlen);
	if (it->cert != NULL)
		it->cert = cert_unpack(f);
	if (it->name != NULL)
		it->name = wire_dup(f, &it->namelen);
}

/* Reads one member, as a workers_work. */
static uint8_t *
readers_work(void *ctx, uint8_t *job, size_t n, size_t *size)
{
	struct readers *r = ctx;
	struct findings l = { NULL, 0 };
	struct wire f = { NULL, 0, 0 };
	struct readers_report rep;
	struct readers_order o;
	size_t i;

	memcpy(&o, job, sizeof(o));
	memset(&rep, 0, sizeof(rep));
	if (o.line != SIZE_MAX)
		r->secrets->first = r->map->v[o.line].pass;
	rep.ok = file_read(job + sizeof(o), n - sizeof(o), r->secrets, &l,
	    &rep.why);
	r->secrets->first = NULL;
	rep.n = l.n;
	wire_add(&f, &rep, sizeof(rep));
	for (i = 0; i < l.n; i++)
		readers_write(&f, &l.v[i]);
	findings_free(&l);
	*size = f.at;
	return f.p;
}

struct readers *
readers_new(unsigned jobs, struct secrets *s, const struct pathmap *map)
{
	struct readers *c = calloc(1, sizeof(*c));

	if (c == NULL)
		heap_nomem();
	c->secrets = s;
	c->map = map;
	findings_share();
	c->pool = workers_new(jobs, AHEAD, 0, readers_work, c);
	return c;
}

void
readers_free(struct readers *c)
{
	if (c == NULL)
		return;
	workers_free(c->pool);
	free(c);
}

size_t
readers_busy(const struct readers *c)
{
	return c == NULL ? 0 : workers_busy(c->pool);
}

int
readers_full(const struct readers *c)
{
	return workers_full(c->pool);
}

void
readers_put(struct readers *c, const uint8_t *p, size_t n,
    const struct pathmap_line *m, void *tag)
{
	struct readers_order o = { m == NULL ? SIZE_MAX :
					       (size_t)(m - c->map->v) };

	workers_put(c->pool, &o, sizeof(o), p, n, tag);
}

int
readers_get(struct readers *r, struct findings *l, struct reason *w, void **tag)
{
	struct wire f = { NULL, 0, 0 };
	struct readers_report rep;

	f.p = workers_get(r->pool, &f.size, tag);
	l->v = NULL;
	l->n = 0;
	if (f.p == NULL)
		return workers_died(w, f.size);
	memcpy(&rep, wire_next(&f, sizeof(rep)), sizeof(rep));
	*w = rep.why;
	l->v = rep.n == 0 ? NULL : calloc(rep.n, sizeof(*l->v));
	if (l->v == NULL && rep.n > 0)
		heap_nomem();
	while (l->n < rep.n)
		readers_read(&f, &l->v[l->n++]);
	OPENSSL_free(f.p);
	return rep.ok;
}
