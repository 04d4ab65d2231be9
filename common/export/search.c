#include "export/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "file/carve.h"

struct search {
	struct pair *pair;
	struct carve carve;
	struct secrets *secrets;
	struct reason why; /* why the member cannot be read */
	struct text path;
	const char *pass; /* of the map */
	uint64_t member;
	unsigned keys, certs;
};

/* Takes what was found: from here on it is as if it were a file. */
static void
search_found(void *ctx, uint64_t at, struct findings *l)
{
	struct search *s = ctx;
	struct text source;
	char *path;
	size_t i;
	int n;

	n = asprintf(&path, "%.*s@%llu", (int)s->path.n, s->path.s,
	    (unsigned long long)at);
	if (n == -1)
		heap_nomem();
	source.s = path;
	source.n = (size_t)n;
	for (i = 0; i < l->n; i++) {
		s->keys += l->v[i].kind == FINDING_KEY;
		s->certs += l->v[i].kind == FINDING_CERT;
	}
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
	s->secrets->first = s->pass;
	carve_feed(&s->carve, p, n);
	s->secrets->first = NULL;
}

void
search_end(struct search *s)
{
	struct reason w;
	int all;

	s->secrets->first = s->pass;
	all = carve_end(&s->carve);
	s->secrets->first = NULL;
	reason_set(&w, s->why.reason, "%s; %s whole certificates %u, keys %u",
	    s->why.detail,
	    all ? "searched (-x):" :
		  "searched (-x) in part, for it is made to look like keys:",
	    s->certs, s->keys);
	pair_fault(s->pair, s->path, s->member, &w);
	free((char *)s->path.s);
	free(s);
}
