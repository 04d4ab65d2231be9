#include "export/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "file/carve.h"
#include "file/value.h"

struct search {
	struct pair *pair;
	struct carve carve;
	struct secrets *secrets;
	struct reason why; /* why the member cannot be read */
	int database; /* what it holds may come twice */
	int carved; /* it was searched as it is */
	struct text path;
	const char *pass; /* of the map */
	uint64_t member;
	unsigned keys, certs;
};

static void
search_count(struct search *s, const struct findings *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		s->keys += l->v[i].kind == FINDING_KEY;
		s->certs += l->v[i].kind == FINDING_CERT;
	}
}

/* Takes findings as if they were a file. */
static void
search_found(void *ctx, uint64_t at, struct findings *l)
{
	struct search *s = ctx;
	struct text source;
	char *path;
	int n;

	search_count(s, l);
	if (s->database && pair_has(s->pair, l))
		return;
	n = asprintf(&path, "%.*s@%llu", (int)s->path.n, s->path.s,
	    (unsigned long long)at);
	if (n == -1)
		heap_nomem();
	source.s = path;
	source.n = (size_t)n;
	pair_findings(s->pair, l, source, s->member);
	free(path);
}

struct search *
search_new(struct pair *pair, struct choose *ch, struct secrets *secrets,
    const struct reason *why, struct text path, uint64_t member)
{
	struct search *s = calloc(1, sizeof(*s));
	const struct pathmap_line *m;

	if (s == NULL || (s->path.s = strndup(path.s, path.n)) == NULL)
		heap_nomem();
	s->path.n = path.n;
	s->pair = pair;
	s->secrets = secrets;
	s->why = *why;
	s->member = member;
	s->carve.found = search_found;
	s->carve.ctx = s;
	s->carve.secrets = secrets;
	m = pathmap_find0(&ch->map, s->path.s);
	s->pass = m == NULL ? NULL : m->pass;
	return s;
}

void
search_feed(struct search *s, const uint8_t *p, size_t n)
{
	s->carved = 1;
	s->secrets->first = s->pass;
	carve_feed(&s->carve, p, n);
	s->secrets->first = NULL;
}

struct search *
search_database(struct pair *pair, struct choose *ch, struct secrets *secrets,
    struct text path, uint64_t member)
{
	struct reason w;
	struct search *s;

	reason_set(&w, "cut",
	    "ESE database: the reader of the archive ended in it");
	s = search_new(pair, ch, secrets, &w, path, member);
	s->database = 1;
	choose_database(ch, path);
	return s;
}

void
search_value(struct search *s, struct text source, const uint8_t *p, size_t n)
{
	struct findings l = { NULL, 0 };

	s->secrets->first = s->pass;
	value_read(p, n, s->secrets, &l);
	s->secrets->first = NULL;
	search_count(s, &l);
	pair_findings(s->pair, &l, source, s->member);
	findings_free(&l);
}

void
search_fault(struct search *s, struct text source, const struct reason *w)
{
	pair_fault(s->pair, source, s->member, w);
}

void
search_database_end(struct search *s, const struct reason *why)
{
	s->why = *why;
	if (s->certs + s->keys > 0)
		reason_set(&s->why, why->reason,
		    "%s; in its values: certificates %u, keys %u", why->detail,
		    s->certs, s->keys);
	s->certs = s->keys = 0;
}

void
search_end(struct search *s)
{
	struct reason w = s->why;
	int all;

	s->secrets->first = s->pass;
	all = carve_end(&s->carve);
	s->secrets->first = NULL;
	if (s->carved)
		reason_set(&w, s->why.reason,
		    "%s; %s whole certificates %u, keys %u", s->why.detail,
		    all ?
			"searched (-x):" :
			"searched (-x) only in part, because it is crafted to "
			"look like keys:",
		    s->certs, s->keys);
	pair_fault(s->pair, s->path, s->member, &w);
	free((char *)s->path.s);
	free(s);
}
