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

/* What comes before a member: its line of the map. */
struct order {
	size_t line; /* SIZE_MAX: none */
};

/* What comes before the items: how it went. */
struct report {
	int ok;
	struct reason why;
	size_t n;
};

/* An item as it is in memory, and what it points to behind it. */
static void
write_item(struct wire *f, const struct finding *it)
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
read_item(struct wire *f, struct finding *it)
{
	memcpy(it, wire_next(f, sizeof(*it)), sizeof(*it));
	if (it->sealed != NULL)
		it->sealed = wire_dup(f, &it->sealedlen);
	if (it->cert != NULL)
		it->cert = cert_unpack(f);
	if (it->name != NULL)
		it->name = wire_dup(f, &it->namelen);
}

/* Reads one member; the workers_work of a crew. */
static uint8_t *
work(void *ctx, uint8_t *job, size_t n, size_t *size)
{
	struct readers *crew = ctx;
	struct findings l = { NULL, 0 };
	struct wire f = { NULL, 0, 0 };
	struct report r;
	struct order o;
	size_t i;

	memcpy(&o, job, sizeof(o));
	memset(&r, 0, sizeof(r));
	if (o.line != SIZE_MAX)
		crew->secrets->first = crew->map->v[o.line].pass;
	r.ok = file_read(job + sizeof(o), n - sizeof(o), crew->secrets, &l,
	    &r.why);
	crew->secrets->first = NULL;
	r.n = l.n;
	wire_add(&f, &r, sizeof(r));
	for (i = 0; i < l.n; i++)
		write_item(&f, &l.v[i]);
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
	c->pool = workers_new(jobs, AHEAD, 0, work, c);
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
	struct order o = { m == NULL ? SIZE_MAX : (size_t)(m - c->map->v) };

	workers_put(c->pool, &o, sizeof(o), p, n, tag);
}

int
readers_get(struct readers *crew, struct findings *l, struct reason *w,
    void **tag)
{
	struct wire f = { NULL, 0, 0 };
	struct report r;

	f.p = workers_get(crew->pool, &f.size, tag);
	memcpy(&r, wire_next(&f, sizeof(r)), sizeof(r));
	*w = r.why;
	l->n = 0;
	l->v = r.n == 0 ? NULL : calloc(r.n, sizeof(*l->v));
	if (l->v == NULL && r.n > 0)
		heap_nomem();
	while (l->n < r.n)
		read_item(&f, &l->v[l->n++]);
	OPENSSL_free(f.p);
	return r.ok;
}
