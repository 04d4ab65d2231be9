#include "export/export.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/progress.h"
#include "base/text.h"
#include "export/readers.h"
#include "export/search.h"
#include "file/file.h"
#include "file/findings.h"
#include "file/foreign.h"
#include "file/magic.h"

void
export_free(struct export *x)
{
	readers_free(x->readers);
	choose_free(&x->choose);
	shelf_free(x->pair.shelf);
	table_clear(&x->users);
	OPENSSL_free(x->class);
}

static void
export_classify(void *ctx, uint64_t member, uint8_t class)
{
	struct export *x = ctx;

	if (x->class[member] < class)
		x->class[member] = class;
}

/* Counts a member.  Returns its number. */
static uint64_t
export_new_member(struct export *x)
{
	x->class = array_grow(x->class, &x->room, x->members + 1, 1);
	x->class[x->members] = NOTHING;
	progress_tick();
	return x->members++;
}

/* Writes a fault, whoever the owner is. */
static void
export_say(struct export *x, struct text source, const struct reason *w)
{
	struct stream_rec whose;
	char path[256];

	msg_record("%s: %s", text_vis(path, sizeof(path), source.s, source.n),
	    w->detail);
	choose_whose(&x->choose, &whose, source);
	stream_fault(&x->out, source, &whose, w);
	progress_fault();
}

/*
 * Writes the fault of a source, or only counts it if -g or -u does not want its
 * owner.
 */
static uint8_t
export_fault(void *ctx, struct text source, const struct reason *w)
{
	struct export *x = ctx;

	if (choose_skips(&x->choose, source)) {
		x->unwanted++;
		return SKIPPED;
	}
	export_say(x, source, w);
	return FAULTED;
}

/*
 * Returns 1 if the map names the certificate, and not as another user's.  A
 * line for every member, or for one that -x searches, vouches for nothing.
 */
static int
export_named(void *ctx, struct text cert, struct text key)
{
	struct export *x = ctx;
	const struct pathmap_line *m = choose_line0(&x->choose, cert);
	struct stream_rec e;

	if (m == NULL || !m->exact || strlen(m->glob) != cert.n)
		return 0;
	choose_whose(&x->choose, &e, key);
	return m->user.s == NULL || e.user.s == NULL ||
	    (m->user.n == e.user.n &&
		memcmp(m->user.s, e.user.s, e.user.n) == 0);
}

/* Counts a user by the hash of group and name. */
static void
export_count_user(struct export *x, const struct stream_rec *e)
{
	unsigned long long h = 1469598103934665603ULL; /* FNV-1a */
	size_t i;

	for (i = 0; i < e->group.n; i++)
		h = (h ^ (unsigned char)e->group.s[i]) * 1099511628211ULL;
	h *= 1099511628211ULL;
	for (i = 0; i < e->user.n; i++)
		h = (h ^ (unsigned char)e->user.s[i]) * 1099511628211ULL;
	if (table_add_number(&x->users, h) <= 0)
		return;
	x->nusers++;
	x->odd += !text_utf8(e->group.s, e->group.n) ||
	    !text_utf8(e->user.s, e->user.n);
}

static uint8_t
export_emit(void *ctx, const struct cert *c, const uint8_t *key, size_t keylen,
    struct text name, struct text source)
{
	struct export *x = ctx;
	char path[256], user[256];
	struct stream_rec e;

	choose_describe(&x->choose, &e, c, name, source);
	if (!choose_wants(&x->choose, &e))
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
	export_count_user(x, &e);
	return KEYS;
}

void
export_init(struct export *x, size_t n)
{
	memset(x, 0, sizeof(*x));
	choose_init(&x->choose, n);
	x->users = TABLE_OF(struct table_numbers, 8, UINT32_MAX);
	x->pair.sink = (struct pair_sink){ x, export_emit, export_fault,
		export_classify, export_named,
		"a private key without a certificate: add its certificate to "
		"the backup",
		"the map" };
}

void
export_open(struct export *x)
{
	x->pair.shelf = shelf_new();
}

/* Writes the fault of a member.  An unwanted archive may hold wanted ones. */
static void
export_fault_of(struct export *x, struct text path, uint64_t n, int archive,
    struct reason *w)
{
	if (strcmp(w->reason, "format") == 0)
		foreign_by_name(path.s, w);
	if (!archive)
		pair_fault(&x->pair, path, n, w);
	else {
		export_say(x, path, w);
		export_classify(x, n, FAULTED);
	}
}

/* Handles an unreadable member, and searches it with -x. */
static void
export_unread(struct export *x, struct unpack *u, struct reason *w, uint64_t n,
    int big)
{
	struct text path = { u->path, u->pathlen };
	struct search *s;

	if (!x->choose.carve) {
		export_fault_of(x, path, n, magic_of(u->data, u->len) != NULL,
		    w);
		return;
	}
	s = search_new(&x->pair, &x->choose, x->secrets, w, path, n);
	if (big) {
		x->search = s;
		return;
	}
	search_feed(s, u->data, u->len);
	search_end(s);
}

/* Ends the member that comes in pieces or values. */
static void
export_searched(struct export *x)
{
	if (x->search != NULL)
		search_end(x->search);
	x->search = NULL;
}

/* Handles a piece of a member above the ceiling, or its end. */
static void
export_piece(struct export *x, struct unpack *u, int last)
{
	struct text path = { u->path, u->pathlen };

	if (x->search != NULL && !last)
		search_feed(x->search, u->data, u->len);
	if (x->search == NULL || !last)
		return;
	export_searched(x);
	if (u->why.reason != NULL)
		export_say(x, path, &u->why);
}

/* Handles a database, its contents, or its end. */
static void
export_database(struct export *x, struct unpack *u, enum unpack_event ev)
{
	struct text path = { u->path, u->pathlen };

	if (ev == UNPACK_DATABASE)
		x->search = search_database(&x->pair, &x->choose, x->secrets,
		    path, export_new_member(x));
	if (x->search == NULL)
		return;
	if (ev == UNPACK_VALUE)
		search_value(x->search, path, u->data, u->len);
	if (ev != UNPACK_DATABASE_END)
		return;
	search_database_end(x->search, &u->why);
	if (!x->choose.carve)
		export_searched(x);
}

/* Takes and frees the findings of a member. */
static void
export_take(struct export *x, struct text path, uint64_t n, struct findings *l,
    const struct reason *w)
{
	if (l->n == 0) {
		msg_record("%s: %s: holds no key, skipped", path.s, w->detail);
		export_classify(x, n, SKIPPED);
	} else
		pair_findings(&x->pair, l, path, n);
	findings_free(l);
}

/* Reads the member at hand in this process. */
static void
export_read_here(struct export *x, struct unpack *u,
    const struct pathmap_line *m, uint64_t n, int big)
{
	struct text path = { u->path, u->pathlen };
	struct findings l = { NULL, 0 };
	struct reason w;
	int ok;

	x->secrets->first = m == NULL ? NULL : m->pass;
	ok = file_read(u->data, u->len, x->secrets, &l, &w);
	x->secrets->first = NULL;
	if (big && (ok || strcmp(w.reason, "unsupported") != 0))
		ok = reason_set(&w, "ceiling",
		    "larger than %llu bytes, the "
		    "ceiling of a member: raise it with -L member=",
		    (unsigned long long)u->limits.member);
	if (ok)
		export_take(x, path, n, &l, &w);
	else {
		export_unread(x, u, &w, n, big);
		findings_free(&l);
	}
}

/* A member that the readers have. */
struct export_pending {
	uint64_t n;
	int archive; /* it is one, which is not read */
	size_t pathlen;
	char path[];
};

/* Takes the findings of the readers' oldest member. */
static void
export_take_oldest(struct export *x)
{
	struct export_pending *p;
	struct text path;
	struct findings l;
	struct reason w;
	void *tag;
	int ok = readers_get(x->readers, &l, &w, &tag);

	p = tag;
	path.s = p->path;
	path.n = p->pathlen;
	if (ok)
		export_take(x, path, p->n, &l, &w);
	else {
		export_fault_of(x, path, p->n, p->archive, &w);
		findings_free(&l);
	}
	free(p);
}

/* Gives the member at hand to the readers. */
static void
export_give(struct export *x, const struct unpack *u,
    const struct pathmap_line *m, uint64_t n)
{
	struct export_pending *p = malloc(sizeof(*p) + u->pathlen + 1);

	if (p == NULL)
		heap_nomem();
	p->n = n;
	p->archive = magic_of(u->data, u->len) != NULL;
	p->pathlen = u->pathlen;
	memcpy(p->path, u->path, u->pathlen + 1);
	while (readers_full(x->readers))
		export_take_oldest(x);
	readers_put(x->readers, u->data, u->len, m, p);
}

static void
export_member(struct export *x, struct unpack *u, int big)
{
	const struct pathmap_line *m = pathmap_find0(&x->choose.map, u->path);
	uint64_t n = export_new_member(x);

	if (x->readers != NULL && !big)
		export_give(x, u, m, n);
	else
		export_read_here(x, u, m, n, big);
}

/* Waits for the next event, after taking what the readers have. */
static enum unpack_event
export_next_event(struct export *x, struct unpack *u)
{
	enum unpack_event ev;

	while (readers_busy(x->readers) > 0 && !unpack_ready(u))
		export_take_oldest(x);
	ev = unpack_next(u);
	/* in the order of the backup */
	while (readers_busy(x->readers) > 0 && ev != UNPACK_MEMBER)
		export_take_oldest(x);
	return ev;
}

/* What the members came to. */
static struct stream_sum
export_sum(const struct export *x)
{
	struct stream_sum sum = { .members = x->members };
	unsigned long long n[KEYS + 1] = { 0 };
	uint64_t i;

	for (i = 0; i < x->members; i++)
		n[x->class[i]]++;
	sum.keys = n[KEYS];
	sum.certs = n[CERTS];
	sum.faulted = n[FAULTED] + n[NOTHING];
	sum.skipped = n[SKIPPED];
	return sum;
}

static void
export_summary(const struct export *x, const struct stream_sum *sum)
{
	const struct rec_out *r = x->out.rec;
	size_t k;

	for (k = 0; k < x->choose.map.n; k++)
		if (!x->choose.map.v[k].used)
			msg_warn("-m: %s matches no member",
			    x->choose.map.v[k].glob);
	if (x->unwanted > 0)
		msg_warn("-g and -u do not want %llu faults: run without them "
			 "to see what could not be read",
		    x->unwanted);
	if (x->links > 0)
		msg_warn("links that were not followed: %llu (-v names them): "
			 "what they lead to must be in the backup itself: tar "
			 "-h packs that",
		    x->links);
	if (x->odd > 0)
		msg_warn("users whose name or group is not UTF-8: %llu: run "
			 "with -i and the charset of the paths (CP1252, "
			 "CP850), or name them with -m",
		    x->odd);
	msg_warn("users %llu, keys %llu (v1 %llu), certificates %llu, signing "
		 "keys held back %llu, faults %llu",
	    x->nusers, r->keys, x->v1, r->certs, x->signing, r->faults);
	msg_warn("members %llu = keys %llu + certificates %llu + faulted %llu "
		 "+ skipped %llu",
	    sum->members, sum->keys, sum->certs, sum->faulted, sum->skipped);
}

/* Handles an event of the u.  Returns 0 at its end. */
static int
export_event(struct export *x, struct unpack *u, enum unpack_event ev)
{
	static const struct text whole = { "stdin", 5 };
	struct text path = { u->path, u->pathlen };

	if (ev == UNPACK_MEMBER || ev == UNPACK_BIG || ev == UNPACK_DATABASE)
		export_searched(x);
	switch (ev) {
	case UNPACK_END:
		return 0;
	case UNPACK_DATABASE:
	case UNPACK_VALUE:
	case UNPACK_DATABASE_END:
		export_database(x, u, ev);
		break;
	case UNPACK_MEMBER:
	case UNPACK_BIG:
		export_member(x, u, ev == UNPACK_BIG);
		break;
	case UNPACK_PIECE:
	case UNPACK_PIECES_END:
		export_piece(x, u, ev == UNPACK_PIECES_END);
		break;
	case UNPACK_FAULT:
		if (x->search != NULL && path.n > 0) {
			search_fault(x->search, path, &u->why);
			break;
		}
		if (path.n > 0)
			export_classify(x, export_new_member(x), FAULTED);
		else
			x->cut = 1;
		export_say(x, path.n > 0 ? path : whole, &u->why);
		break;
	case UNPACK_NOTE:
		x->links += strcmp(u->why.reason, "link") == 0;
		msg_verbose("%s: %s", path.n > 0 ? path.s : whole.s,
		    u->why.detail);
	}
	return 1;
}

/* Gives passwords of the archive: the map's, then those of -p. */
static const char *
export_pass(void *ctx, const char *path, size_t i)
{
	struct export *x = ctx;
	const struct pathmap_line *m = i > 0 ?
	    NULL :
	    pathmap_find0(&x->choose.map, path);
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
export_run(struct export *x, struct unpack *u, const struct trust_pair *to,
    const struct trust_pair *signer)
{
	enum unpack_event ev;
	unsigned long long records;
	struct stream_sum sum;
	struct reason w;
	int status;

	u->pass = export_pass;
	u->ctx = x;
	ev = export_next_event(x, u);
	/* nothing is written for no input at all */
	if (ev == UNPACK_FAULT && u->pathlen == 0 &&
	    strcmp(u->why.reason, "empty") == 0)
		msg_die("stdin: %s", u->why.detail);
	if (!stream_out_sealed(&x->out, stdout, to, signer, &w))
		msg_die("%s", w.detail);
	while (export_event(x, u, ev))
		ev = export_next_event(x, u);
	export_searched(x); /* the reader died of it */
	if (x->cut)
		x->pair.sink.lone =
		    "a private key without a certificate, in as much of the "
		    "backup as could be read";
	pair_end(&x->pair);
	records = x->out.rec->n;
	status = x->out.rec->faults > 0 || records == 0;
	sum = export_sum(x);
	x->out.sum = &sum;
	export_summary(x, &sum);
	if (records == 0)
		msg_warn("nothing was found%s",
		    choose_some(&x->choose) ? " that -g and -u select" : "");
	if (!stream_close(&x->out, &w))
		msg_die("%s", w.detail);
	return status;
}
