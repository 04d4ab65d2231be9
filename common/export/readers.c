#include "export/readers.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/wire.h"
#include "base/workers.h"
#include "file/file.h"

#define BUNDLES	     2 /* in hand of each process, so that none waits */
#define BUNDLE_BYTES (1024 * 1024) /* a bundle that has more takes no other */

/*
 * Members go to a process in bundles, so that their derivations fill the lanes
 * of a processor (lock/ahead.h).
 */
struct readers {
	struct workers *pool; /* NULL: this process reads */
	struct secrets *secrets;
	const struct pathmap *map;
	struct wire open; /* the bundle that is being filled */
	size_t n; /* members in it */
	struct readers_tag *first, **last; /* of all members in hand */
	size_t busy; /* number of them */
	struct wire
	    answer; /* to the oldest bundle, from where it is not taken */
	/* a bundle that a process died of, from where it is not read again */
	struct wire again;
	struct workers
	    *single; /* reads the members of such a bundle, one by one */
};

struct readers_tag {
	struct readers_tag *next;
	void *tag; /* what readers_put() was given */
};

/* The head of a member. */
struct readers_order {
	size_t line; /* of the map; SIZE_MAX: none */
	size_t n; /* bytes of the member */
};

/* The head of the findings. */
struct readers_report {
	int ok;
	struct reason why;
	size_t n;
};

/* Writes a finding as it is in memory, then the targets of its pointers. */
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

static void
readers_answer(struct wire *f, struct file_job *j)
{
	struct readers_report rep;
	size_t i;

	memset(&rep, 0, sizeof(rep));
	rep.ok = j->ok;
	rep.why = j->why;
	rep.n = j->l.n;
	wire_add(f, &rep, sizeof(rep));
	for (i = 0; i < j->l.n; i++)
		readers_write(f, &j->l.v[i]);
	findings_free(&j->l);
}

/* Reads the members of a bundle, as a workers_work. */
static uint8_t *
readers_work(void *ctx, uint8_t *bundle, size_t n, size_t *size)
{
	struct readers *r = ctx;
	struct wire in = { bundle, n, 0 }, out = { NULL, 0, 0 };
	struct file_job j[FILE_MANY];
	struct readers_order o;
	size_t i, count;

	memset(j, 0, sizeof(j));
	for (count = 0; in.at < n; count++) {
		memcpy(&o, wire_next(&in, sizeof(o)), sizeof(o));
		j[count].p = wire_next(&in, o.n);
		j[count].n = o.n;
		if (o.line != SIZE_MAX)
			j[count].first = r->map->v[o.line].pass;
	}
	file_read_many(j, count, r->secrets);
	for (i = 0; i < count; i++)
		readers_answer(&out, &j[i]);
	*size = out.at;
	return out.p;
}

struct readers *
readers_new(unsigned jobs, struct secrets *s, const struct pathmap *map)
{
	struct readers *r = calloc(1, sizeof(*r));

	if (r == NULL)
		heap_nomem();
	r->secrets = s;
	r->map = map;
	r->last = &r->first;
	findings_share();
	if (jobs > 1)
		r->pool = workers_new(jobs, BUNDLES, 0, readers_work, r);
	/* a hostile member may end a process when the signing key is there */
	if (r->pool != NULL)
		workers_keep(r->pool);
	return r;
}

void
readers_free(struct readers *r)
{
	if (r == NULL)
		return;
	workers_free(r->single);
	workers_free(r->pool);
	OPENSSL_free(r->again.p);
	OPENSSL_free(r->open.p);
	OPENSSL_free(r->answer.p);
	free(r);
}

size_t
readers_busy(const struct readers *r)
{
	return r == NULL ? 0 : r->busy;
}

/* Returns 1 if the bundle takes no other member. */
static int
readers_bundled(const struct readers *r)
{
	return r->n == FILE_MANY || r->open.at > BUNDLE_BYTES;
}

int
readers_full(const struct readers *r)
{
	return readers_bundled(r) && (r->pool == NULL || workers_full(r->pool));
}

/* Starts the next bundle, in the memory of the last one. */
static void
readers_empty(struct readers *r)
{
	OPENSSL_cleanse(r->open.p, r->open.at);
	r->open.at = 0;
	r->n = 0;
}

/* Gives the bundle to a process. */
static void
readers_send(struct readers *r)
{
	workers_put(r->pool, NULL, 0, r->open.p, r->open.at, NULL);
	readers_empty(r);
}

void
readers_put(struct readers *r, const uint8_t *p, size_t n,
    const struct pathmap_line *m, void *tag)
{
	struct readers_order o = { m == NULL ? SIZE_MAX :
					       (size_t)(m - r->map->v),
		n };
	struct readers_tag *t = malloc(sizeof(*t));

	if (t == NULL)
		heap_nomem();
	if (readers_bundled(r))
		readers_send(r);
	wire_add(&r->open, &o, sizeof(o));
	wire_add(&r->open, p, n);
	r->n++;
	r->busy++;
	t->next = NULL;
	t->tag = tag;
	*r->last = t;
	r->last = &t->next;
	if (readers_bundled(r) && r->pool != NULL && !workers_full(r->pool))
		readers_send(r);
}

/* Waits for the answer to the oldest bundle. */
static void
readers_wait(struct readers *r)
{
	void *tag;

	OPENSSL_free(r->answer.p);
	OPENSSL_free(r->again.p);
	memset(&r->answer, 0, sizeof(r->answer));
	memset(&r->again, 0, sizeof(r->again));
	if (r->pool == NULL) {
		r->answer.p = readers_work(r, r->open.p, r->open.at,
		    &r->answer.size);
		readers_empty(r);
		return;
	}
	/* nobody waits for members that may come */
	if (r->n > 0 && !workers_full(r->pool) && workers_idle(r->pool))
		readers_send(r);
	r->answer.p = workers_get(r->pool, &r->answer.size, &tag);
	if (r->answer.p == NULL) {
		r->answer.size = 0;
		r->again.p = workers_lost(r->pool, &r->again.size);
	}
}

/*
 * Reads the next member of a bundle that killed a process.  Returns 1, or 0 if
 * this member did it, with *n for workers_died().
 */
static int
readers_read_again(struct readers *r, size_t *n)
{
	struct wire *f = &r->again;
	const uint8_t *start = f->p + f->at;
	struct readers_order o;
	void *tag;

	memcpy(&o, wire_next(f, sizeof(o)), sizeof(o));
	(void)wire_next(f, o.n);
	if (r->single == NULL)
		r->single = workers_beside(r->pool);
	workers_put(r->single, NULL, 0, start, sizeof(o) + o.n, NULL);
	OPENSSL_free(r->answer.p);
	r->answer.at = 0;
	r->answer.p = workers_get(r->single, n, &tag);
	r->answer.size = r->answer.p == NULL ? 0 : *n;
	return r->answer.p != NULL;
}

int
readers_get(struct readers *r, struct findings *l, struct reason *w, void **tag)
{
	struct readers_tag *t = r->first;
	struct readers_report rep;
	size_t died;

	if (r->answer.at == r->answer.size && r->again.at == r->again.size)
		readers_wait(r);
	r->busy--;
	*tag = t->tag;
	if ((r->first = t->next) == NULL)
		r->last = &r->first;
	free(t);
	l->v = NULL;
	l->n = 0;
	if (r->again.p != NULL && !readers_read_again(r, &died))
		return workers_died(w, died);
	memcpy(&rep, wire_next(&r->answer, sizeof(rep)), sizeof(rep));
	*w = rep.why;
	l->v = rep.n == 0 ? NULL : calloc(rep.n, sizeof(*l->v));
	if (l->v == NULL && rep.n > 0)
		heap_nomem();
	while (l->n < rep.n)
		readers_read(&r->answer, &l->v[l->n++]);
	return rep.ok;
}
