#include "store/driver.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/heap.h"

struct sql_st *
sql_ready(struct store *db, enum sql n, struct reason *w)
{
	return db->driver->ready(db, n, w);
}

int
sql_step(struct sql_st *st, struct reason *w)
{
	return st->db->driver->step(st, w);
}

int
sql_ask(struct store *db, enum sql n, int64_t v, struct sql_st **st,
    struct reason *w)
{
	if ((*st = sql_ready(db, n, w)) == NULL)
		return -1;
	sql_bind_i(*st, 1, v);
	return sql_step(*st, w);
}

int
sql_one(struct sql_st *st, struct reason *w)
{
	int rc = sql_step(st, w);

	if (rc == 0)
		reason_set(w, "database",
		    "%s: cannot read: no row " STORE_ALTERED, st->db->name);
	return rc == 1;
}

void
sql_reset(struct sql_st *st)
{
	st->db->driver->reset(st);
}

int
sql_run(struct sql_st *st, struct reason *w)
{
	return st->db->driver->run(st, w);
}

int
sql_put(struct sql_st *st, struct reason *w)
{
	return st->db->driver->put(st, w);
}

struct text
sql_text_dup(struct text t)
{
	char *s = malloc(t.n + 1);

	if (s == NULL)
		heap_nomem();
	if (t.n > 0)
		memcpy(s, t.s, t.n);
	s[t.n] = '\0';
	t.s = s;
	return t;
}

static void
free_text(struct text t)
{
	free((char *)(uintptr_t)t.s);
}

void
sql_free_seen(struct store_seen *n)
{
	free_text(n->group);
	free_text(n->user);
	free_text(n->mail);
	free_text(n->guid);
	free_text(n->source);
	free((char *)(uintptr_t)n->stream);
	memset(n, 0, sizeof(*n));
}

void
sql_forget_names(struct store *db)
{
	while (db->nnames > 0)
		sql_free_seen(&db->names[--db->nnames].seen);
}

void
sql_forget(struct store *db)
{
	while (db->nknown > 0)
		sql_free_seen(&db->known[--db->nknown].seen);
	free(db->known);
	db->known = NULL;
}

int
sql_version(const struct store *db, int version, struct reason *w)
{
	return reason_set(w, "database",
	    version < STORE_VERSION ?
		"%s: an archive of version %d, this kms2ca has %d: bring it "
		"over to a new one: ca-dump -d OLD | ca-load -d NEW" :
		"%s: an archive of version %d, this kms2ca has %d: use the "
		"one that made it",
	    db->name, version, STORE_VERSION);
}

int
sql_not_put(const struct store *db, struct reason *w)
{
	return reason_set(w, "database",
	    "%s: a row was not written " STORE_ALTERED, db->name);
}

void
sql_bind_i(struct sql_st *st, int i, int64_t v)
{
	st->db->driver->bind_int(st, i, v);
}

void
sql_bind_s(struct sql_st *st, int i, const char *s)
{
	if (s == NULL)
		s = "";
	st->db->driver->bind_text(st, i, s, strlen(s));
}

void
sql_bind_t(struct sql_st *st, int i, struct text t)
{
	st->db->driver->bind_text(st, i, t.s == NULL ? "" : t.s, t.n);
}

void
sql_bind_b(struct sql_st *st, int i, const void *p, size_t n)
{
	st->db->driver->bind_blob(st, i, p, n);
}

void
sql_bind_hex(struct sql_st *st, int i, const uint8_t *p, size_t n, char hex[])
{
	sql_bind_s(st, i, encode_hex(hex, p, n));
}

void
sql_column(const struct sql_st *st, int i, struct sql_value *v)
{
	st->db->driver->column(st, i, v);
}

int64_t
sql_int(const struct sql_st *st, int i)
{
	struct sql_value v;

	sql_column(st, i, &v);
	return v.type == SQL_INT ? v.i : 0;
}

struct text
sql_col_text(const struct sql_st *st, int i)
{
	struct text t = { "", 0 };
	struct sql_value v;

	sql_column(st, i, &v);
	if (v.type == SQL_TEXT) {
		t.s = v.p;
		t.n = v.n;
	}
	return t;
}

void
sql_bind_seen(struct sql_st *st, int i, const struct store_seen *n)
{
	sql_bind_t(st, i, n->group);
	sql_bind_t(st, i + 1, n->user);
	sql_bind_t(st, i + 2, n->mail);
	sql_bind_t(st, i + 3, n->guid);
	sql_bind_t(st, i + 4, n->source);
	sql_bind_s(st, i + 5, n->stream);
}

struct store_seen
sql_col_seen(const struct sql_st *st, int i)
{
	return (struct store_seen){ .group = sql_col_text(st, i),
		.user = sql_col_text(st, i + 1),
		.mail = sql_col_text(st, i + 2),
		.guid = sql_col_text(st, i + 3),
		.source = sql_col_text(st, i + 4),
		.stream = sql_str(st, i + 5) };
}

const char *
sql_str(const struct sql_st *st, int i)
{
	return sql_col_text(st, i).s;
}

const char *
sql_now(char dst[24])
{
	return encode_now(dst);
}

/* Digests --------------------------------------------------------------- */

/* Bytes to hash, gathered: a call for each few of them would cost more. */
struct gather {
	EVP_MD_CTX *md;
	size_t n;
	char p[4096];
};

static void
flush(struct gather *g)
{
	(void)EVP_DigestUpdate(g->md, g->p, g->n);
	g->n = 0;
}

static void
gather(struct gather *g, const void *p, size_t n)
{
	if (n > sizeof(g->p) - g->n)
		flush(g);
	if (n > sizeof(g->p))
		(void)EVP_DigestUpdate(g->md, p, n);
	else {
		memcpy(g->p + g->n, p, n);
		g->n += n;
	}
}

/* Writes v in decimal up to end, as printf would.  Returns where it begins. */
static char *
decimal(char *end, int64_t v)
{
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do
		*--end = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	if (v < 0)
		*--end = '-';
	return end;
}

/* Adds every column of the row at hand: type, length, bytes. */
static void
hash_row(EVP_MD_CTX *md, const struct sql_st *st, int keys)
{
	uint8_t sum[STORE_DROPPED];
	int i, n = st->db->driver->columns(st);
	char digits[24], head[24], *end = digits + sizeof(digits), *p;
	struct sql_value v;
	struct gather g;

	g.md = md;
	g.n = 0;
	for (i = 0; i < n; i++) {
		sql_column(st, i, &v);
		if (v.type == SQL_INT) {
			v.p = decimal(end, v.i);
			v.n = (size_t)(end - (const char *)v.p);
		}
		if (keys && v.type == SQL_BLOB && v.n != sizeof(sum)) {
			if (EVP_Digest(v.p, v.n, sum, NULL, EVP_sha256(),
				NULL) != 1)
				heap_nomem();
			v.p = sum;
			v.n = sizeof(sum);
		}
		p = head + sizeof(head);
		*--p = ':';
		p = decimal(p, (int64_t)v.n);
		*--p = ':';
		*--p = (char)('0' + v.type);
		gather(&g, p, (size_t)(head + sizeof(head) - p));
		gather(&g, v.p, v.n);
	}
	flush(&g);
}

int
sql_hash(EVP_MD_CTX *md, struct sql_st *st, int keys, unsigned long long *rows,
    struct reason *w)
{
	int rc;

	for (*rows = 0; (rc = sql_step(st, w)) == 1; ++*rows)
		hash_row(md, st, keys);
	return rc == 0;
}
