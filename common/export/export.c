#include "export/export.h"

#include <fnmatch.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/progress.h"
#include "base/text.h"
#include "export/owner.h"
#include "export/pair.h"
#include "export/readers.h"
#include "file/carve.h"
#include "file/file.h"
#include "file/findings.h"

void
export_init(struct export *x, size_t n)
{
	memset(x, 0, sizeof(*x));
	x->users = TABLE_OF(struct table_numbers, 8, UINT32_MAX);
	x->group = calloc(n, sizeof(*x->group));
	x->user = calloc(n, sizeof(*x->user));
	if (x->group == NULL || x->user == NULL)
		heap_nomem();
}

void
export_free(struct export *x)
{
	readers_free(x->crew);
	pathmap_free(&x->map);
	shelf_free(x->hold);
	table_clear(&x->users);
	OPENSSL_free(x->class);
	free(x->group);
	free(x->user);
}

void
export_classify(struct export *x, uint64_t member, uint8_t class)
{
	if (x->class[member] < class)
		x->class[member] = class;
}

/* A member more; returns its number. */
static uint64_t
new_member(struct export *x)
{
	x->class = array_grow(x->class, &x->room, x->members + 1, 1);
	x->class[x->members] = NOTHING;
	progress_tick();
	return x->members++;
}

/* Returns 1 if one of the patterns matches, or there are none. */
static int
matches(const char **pattern, size_t n, struct text t)
{
	char *s;
	size_t i;
	int found = n == 0;

	if ((s = strndup(t.s, t.n)) == NULL)
		heap_nomem();
	for (i = 0; i < n && !found; i++)
		found = fnmatch(pattern[i], s, 0) == 0;
	free(s);
	return found;
}

int
export_selected(const struct export *x, const struct stream_rec *e)
{
	return matches(x->group, x->ngroup, e->group) &&
	    matches(x->user, x->nuser, e->user);
}

void
export_fault(struct export *x, struct text source, const struct reason *w)
{
	char path[256];

	msg_record("%s: %s", text_vis(path, sizeof(path), source.s, source.n),
	    w->detail);
	stream_fault(&x->out, source, w);
	progress_fault();
}

/* Counts a user by the hash of group and name. */
static void
count_user(struct export *x, const struct stream_rec *e)
{
	unsigned long long h = 1469598103934665603ULL; /* FNV-1a */
	size_t i;

	for (i = 0; i < e->group.n; i++)
		h = (h ^ (unsigned char)e->group.s[i]) * 1099511628211ULL;
	h *= 1099511628211ULL;
	for (i = 0; i < e->user.n; i++)
		h = (h ^ (unsigned char)e->user.s[i]) * 1099511628211ULL;
	x->nusers += (unsigned)(table_add_number(&x->users, h) > 0);
}

/*
 * The line of the map for a source.  What -x found, at member@offset, goes by
 * the line of its member.
 */
static const struct pathmap_line *
map_of(struct export *x, struct text source)
{
	const struct pathmap_line *m = NULL;
	char *path, *at;

	if ((path = strndup(source.s, source.n)) == NULL)
		heap_nomem();
	at = x->carve ? strrchr(path, '@') : NULL;
	if (at != NULL && at[1 + strspn(at + 1, "0123456789")] == '\0') {
		*at = '\0';
		m = pathmap_find0(&x->map, path);
		*at = '@';
	}
	if (m == NULL)
		m = pathmap_find0(&x->map, path);
	free(path);
	return m;
}

void
export_describe(struct export *x, struct stream_rec *e, const struct cert *c,
    struct text name, struct text source)
{
	memset(e, 0, sizeof(*e));
	e->cert = c;
	e->source = source;
	e->guid.s = "";
	owner_cert(e, c, name);
	owner_path(e, source);
	owner_map(e, map_of(x, source));
}

uint8_t
export_emit(struct export *x, const struct cert *c, const uint8_t *key,
    size_t keylen, struct text name, struct text source)
{
	char path[256], user[256];
	struct stream_rec e;

	export_describe(x, &e, c, name, source);
	if (!export_selected(x, &e))
		return SKIPPED;
	if (key != NULL && strcmp(c->use, "sign") == 0) {
		msg_verbose("%s: a signing key of user %s is held back: only "
			    "its certificate is exported",
		    text_vis(path, sizeof(path), source.s, source.n),
		    text_vis(user, sizeof(user), e.user.s, e.user.n));
		x->signing++;
		key = NULL;
	}
	e.key = key;
	e.keylen = key == NULL ? 0 : keylen;
	if (!stream_put(&x->out, &e))
		return FAULTED;
	if (key == NULL)
		return CERTS;
	x->v1 += c->version == 1;
	count_user(x, &e);
	return KEYS;
}

/* Returns 1 if group and user are known without reading, and not wanted. */
static int
skip(struct export *x, struct text path, const struct pathmap_line *m)
{
	struct stream_rec e;

	memset(&e, 0, sizeof(e));
	owner_path(&e, path);
	owner_map(&e, m);
	return (e.group.s != NULL && !matches(x->group, x->ngroup, e.group)) ||
	    (e.user.s != NULL && !matches(x->user, x->nuser, e.user));
}

/* A member that is searched, since it cannot be read (-x). */
struct carving {
	struct export *x;
	struct carve c;
	struct reason why; /* why it cannot be read */
	struct text path;
	const char *pass; /* of the map */
	uint64_t member;
	unsigned keys, certs;
};

/* Something was found: from here on it is as if it were a file. */
static void
found(void *ctx, uint64_t at, struct findings *l)
{
	struct carving *cv = ctx;
	struct text source;
	char *path;
	size_t i;
	int n;

	n = asprintf(&path, "%.*s@%llu", (int)cv->path.n, cv->path.s,
	    (unsigned long long)at);
	if (n == -1)
		heap_nomem();
	source.s = path;
	source.n = (size_t)n;
	for (i = 0; i < l->n; i++) {
		cv->keys += l->v[i].kind == FINDING_KEY;
		cv->certs += l->v[i].kind == FINDING_CERT;
	}
	pair_items(cv->x, l, source, cv->member);
	free(path);
}

static struct carving *
carving_new(struct export *x, const struct reason *why, struct text path,
    uint64_t member)
{
	struct carving *cv = calloc(1, sizeof(*cv));
	const struct pathmap_line *m;

	if (cv == NULL || (cv->path.s = strndup(path.s, path.n)) == NULL)
		heap_nomem();
	cv->path.n = path.n;
	cv->x = x;
	cv->why = *why;
	cv->member = member;
	cv->c.found = found;
	cv->c.ctx = cv;
	cv->c.secrets = x->secrets;
	m = pathmap_find0(&x->map, cv->path.s);
	cv->pass = m == NULL ? NULL : m->pass;
	return cv;
}

/* Searches n bytes more. */
static void
carving_feed(struct carving *cv, const uint8_t *p, size_t n)
{
	cv->x->secrets->first = cv->pass;
	carve_feed(&cv->c, p, n);
	cv->x->secrets->first = NULL;
}

/* All of it was searched: it stays a fault, with what was found in it. */
static void
carving_end(struct carving *cv)
{
	struct reason w;
	int all;

	cv->x->secrets->first = cv->pass;
	all = carve_end(&cv->c);
	cv->x->secrets->first = NULL;
	reason_set(&w, cv->why.reason, "%s; %s whole certificates %u, keys %u",
	    cv->why.detail,
	    all ? "searched (-x):" :
		  "searched (-x) in part, for it is made to look like keys:",
	    cv->certs, cv->keys);
	export_fault(cv->x, cv->path, &w);
	export_classify(cv->x, cv->member, FAULTED);
	free((char *)cv->path.s);
	free(cv);
}

/* A member that cannot be read. */
static void
unread(struct export *x, struct unpack *walk, const struct reason *w,
    uint64_t n, int big)
{
	struct text path = { walk->path, walk->pathlen };
	struct carving *cv;

	if (!x->carve) {
		export_fault(x, path, w);
		export_classify(x, n, FAULTED);
		return;
	}
	cv = carving_new(x, w, path, n);
	if (big) {
		x->carving = cv;
		return;
	}
	carving_feed(cv, walk->data, walk->len);
	carving_end(cv);
}

/* A piece of a member past the ceiling, or the end of it. */
static void
piece(struct export *x, struct unpack *walk, int last)
{
	struct text path = { walk->path, walk->pathlen };

	if (x->carving != NULL && !last)
		carving_feed(x->carving, walk->data, walk->len);
	if (x->carving == NULL || !last)
		return;
	carving_end(x->carving);
	x->carving = NULL;
	if (walk->why.reason != NULL)
		export_fault(x, path, &walk->why);
}

/* Takes what a member holds; frees it. */
static void
take(struct export *x, struct text path, uint64_t n, struct findings *l,
    const struct reason *w)
{
	if (l->n == 0) {
		msg_record("%s: %s: holds no key, skipped", path.s, w->detail);
		export_classify(x, n, SKIPPED);
	} else
		pair_items(x, l, path, n);
	findings_free(l);
	shelf_forget(x->hold);
}

/* Reads the member at hand, here and now. */
static void
read_here(struct export *x, struct unpack *walk, const struct pathmap_line *m,
    uint64_t n, int big)
{
	struct text path = { walk->path, walk->pathlen };
	struct findings l = { NULL, 0 };
	struct reason w;
	int ok;

	x->secrets->first = m == NULL ? NULL : m->pass;
	ok = file_read(walk->data, walk->len, x->secrets, &l, &w);
	x->secrets->first = NULL;
	if (big && (ok || strcmp(w.reason, "unsupported") != 0))
		ok = reason_set(&w, "ceiling",
		    "larger than %llu bytes, the "
		    "ceiling of a member: raise it with -L member=",
		    (unsigned long long)walk->limits.member);
	if (ok)
		take(x, path, n, &l, &w);
	else {
		unread(x, walk, &w, n, big);
		findings_free(&l);
	}
}

/* A member that the crew has. */
struct pending {
	uint64_t n;
	size_t pathlen;
	char path[];
};

/* Takes what the crew has read of the oldest member. */
static void
take_oldest(struct export *x)
{
	struct pending *p;
	struct text path;
	struct findings l;
	struct reason w;
	void *tag;
	int ok = readers_get(x->crew, &l, &w, &tag);

	p = tag;
	path.s = p->path;
	path.n = p->pathlen;
	if (ok)
		take(x, path, p->n, &l, &w);
	else {
		export_fault(x, path, &w);
		export_classify(x, p->n, FAULTED);
		findings_free(&l);
	}
	free(p);
}

/* Gives the member at hand to the crew. */
static void
give(struct export *x, const struct unpack *walk, const struct pathmap_line *m,
    uint64_t n)
{
	struct pending *p = malloc(sizeof(*p) + walk->pathlen + 1);

	if (p == NULL)
		heap_nomem();
	p->n = n;
	p->pathlen = walk->pathlen;
	memcpy(p->path, walk->path, walk->pathlen + 1);
	if (readers_full(x->crew))
		take_oldest(x);
	readers_put(x->crew, walk->data, walk->len, m, p);
}

static void
member(struct export *x, struct unpack *walk, int big)
{
	struct text path = { walk->path, walk->pathlen };
	const struct pathmap_line *m = pathmap_find0(&x->map, walk->path);
	uint64_t n = new_member(x);

	if (skip(x, path, m))
		export_classify(x, n, SKIPPED);
	else if (x->crew != NULL && !big)
		give(x, walk, m, n);
	else
		read_here(x, walk, m, n, big);
}

/* The next event; what the crew has is taken before anybody waits. */
static enum unpack_event
next_event(struct export *x, struct unpack *walk)
{
	enum unpack_event ev;

	while (readers_busy(x->crew) > 0 && !unpack_ready(walk))
		take_oldest(x);
	ev = unpack_next(walk);
	/* in the order of the backup */
	while (readers_busy(x->crew) > 0 && ev != UNPACK_MEMBER)
		take_oldest(x);
	return ev;
}

static void
summary(const struct export *x)
{
	const struct rec_out *r = x->out.rec;
	unsigned long long n[KEYS + 1] = { 0 };
	uint64_t i;
	size_t k;

	for (i = 0; i < x->members; i++)
		n[x->class[i]]++;
	for (k = 0; k < x->map.n; k++)
		if (!x->map.v[k].used)
			msg_warn("-m: %s matches no member", x->map.v[k].glob);
	if (x->links > 0)
		msg_warn("links that were not followed: %llu (-v names them): "
			 "what they lead to must be in the backup itself: tar "
			 "-h packs that",
		    x->links);
	msg_warn("users %llu, keys %llu (v1 %llu), certificates %llu, signing "
		 "keys held back %llu, faults %llu",
	    x->nusers, r->keys, x->v1, r->certs, x->signing, r->faults);
	msg_warn("members %llu = keys %llu + certificates %llu + faulted %llu "
		 "+ skipped %llu",
	    (unsigned long long)x->members, n[KEYS], n[CERTS],
	    n[FAULTED] + n[NOTHING], n[SKIPPED]);
}

/* One event of the walk.  Returns 0 at its end. */
static int
event(struct export *x, struct unpack *walk, enum unpack_event ev)
{
	static const struct text whole = { "stdin", 5 };
	struct text path = { walk->path, walk->pathlen };

	switch (ev) {
	case UNPACK_END:
		return 0;
	case UNPACK_MEMBER:
	case UNPACK_BIG:
		member(x, walk, ev == UNPACK_BIG);
		break;
	case UNPACK_PIECE:
	case UNPACK_PIECES_END:
		piece(x, walk, ev == UNPACK_PIECES_END);
		break;
	case UNPACK_FAULT:
		if (path.n > 0 && skip(x, path, map_of(x, path))) {
			export_classify(x, new_member(x), SKIPPED);
			break;
		}
		if (path.n > 0)
			export_classify(x, new_member(x), FAULTED);
		else
			x->cut = 1;
		export_fault(x, path.n > 0 ? path : whole, &walk->why);
		break;
	case UNPACK_NOTE:
		x->links += strcmp(walk->why.reason, "link") == 0;
		msg_verbose("%s: %s", path.n > 0 ? path.s : whole.s,
		    walk->why.detail);
	}
	return 1;
}

/* For what the archive encrypts: the map's password, then those of -p. */
static const char *
pass(void *ctx, const char *path, size_t i)
{
	struct export *x = ctx;
	const struct pathmap_line *m = i > 0 ? NULL :
					       pathmap_find0(&x->map, path);
	size_t k;

	if (i == 0)
		return m == NULL || m->pass == NULL ? "" : m->pass;
	if (i > x->secrets->n)
		return NULL;
	for (k = 0; k < EXPORT_KEPT; k++)
		if (x->kept[k] == x->secrets->v[i - 1])
			return "";
	return x->secrets->v[i - 1];
}

int
export_run(struct export *x, struct unpack *walk, const struct trust_pair *to,
    const struct trust_pair *signer)
{
	enum unpack_event ev;
	unsigned long long records;
	struct reason w;
	int status;

	walk->pass = pass;
	walk->ctx = x;
	ev = next_event(x, walk);
	/* nothing is written for no input at all */
	if (ev == UNPACK_FAULT && walk->pathlen == 0 &&
	    strcmp(walk->why.reason, "empty") == 0)
		msg_die("stdin: %s", walk->why.detail);
	if (!stream_out_sealed(&x->out, stdout, to, signer, &w))
		msg_die("%s", w.detail);
	while (event(x, walk, ev))
		ev = next_event(x, walk);
	if (x->carving != NULL) /* the reader died of it */
		carving_end(x->carving);
	pair_leftovers(x);
	records = x->out.rec->n;
	status = x->out.rec->faults > 0 || records == 0;
	summary(x);
	if (records == 0)
		msg_warn("nothing was found%s",
		    x->ngroup + x->nuser > 0 ? " that -g and -u select" : "");
	if (!stream_close(&x->out, &w))
		msg_die("%s", w.detail);
	return status;
}
