#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "store/store.h"

/* Rows and their keys: looked up and added. */

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct store_known *)a)->sha256,
	    ((const struct store_known *)b)->sha256, 32);
}

/* Returns what store_expect() found, or NULL if it did not ask. */
static struct store_known *
known0(struct store *db, const uint8_t sha256[32])
{
	struct store_known key = { .id = 0 };

	if (db->nknown == 0)
		return NULL;
	memcpy(key.sha256, sha256, 32);
	return bsearch(&key, db->known, db->nknown, sizeof(key), compare);
}

/* Sets what is known of a certificate in the archive. */
static void
set_known(struct store_known *k, int64_t id, int has_key, struct text group,
    struct text user, struct text mail)
{
	sql_free_seen(&k->seen);
	k->id = id;
	k->has_key = has_key;
	k->seen.group = sql_text_dup(group);
	k->seen.user = sql_text_dup(user);
	k->seen.mail = sql_text_dup(mail);
}

/* Sets it from the columns at hand, of which `first' is RequestID. */
static void
read_known(struct store_known *k, const struct sql_st *st, int first)
{
	set_known(k, sql_int(st, first), sql_int(st, first + 1) != 0,
	    sql_col_text(st, first + 2), sql_col_text(st, first + 3),
	    sql_col_text(st, first + 4));
}

/* Looks up all of store_expect().  Returns 1, or 0 with *w. */
static int
ask(struct store *db, const char *list, struct reason *w)
{
	struct sql_st *st = sql_ready(db, FIND_MANY, w);
	struct store_known *known;
	struct sql_value v;
	int rc;

	if (st == NULL)
		return 0;
	sql_bind_s(st, 1, list);
	while ((rc = sql_step(st, w)) == 1) {
		sql_column(st, 0, &v);
		if (v.n == 32 && (known = known0(db, v.p)) != NULL)
			read_known(known, st, 1);
	}
	return rc == 0;
}

int
store_expect(struct store *db, uint8_t (*sha256)[32], size_t n,
    struct reason *w)
{
	char *list, *p;
	size_t i;
	int rc;

	sql_forget(db);
	if (!db->driver->remote || n == 0)
		return 1;
	db->known = calloc(n, sizeof(*db->known));
	list = p = malloc(n * 65 + 1);
	if (db->known == NULL || list == NULL) {
		free(list);
		return reason_set(w, "database", "out of memory");
	}
	for (i = 0; i < n; i++) {
		memcpy(db->known[i].sha256, sha256[i], 32);
		(void)encode_hex(p, sha256[i], 32);
		p[64] = ',';
		p += 65;
	}
	p[-1] = '\0';
	qsort(db->known, n, sizeof(*db->known), compare);
	db->nknown = n;
	rc = ask(db, list, w);
	free(list);
	return rc;
}

/* Looks up one on demand.  Returns 1 with *k, 0 if not there, -1 with *w. */
static int
ask_one(struct store *db, const uint8_t sha256[32], struct store_known *k,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, FIND, w);
	char hex[65];
	int rc;

	if (st == NULL)
		return -1;
	sql_bind_hex(st, 1, sha256, 32, hex);
	if ((rc = sql_step(st, w)) == 1) {
		read_known(k, st, 0);
		sql_reset(st);
	}
	return rc;
}

int
store_find(struct store *db, const uint8_t sha256[32],
    const struct store_known **k, struct reason *w)
{
	struct store_known *known = known0(db, sha256);
	int rc = 1;

	if (known == NULL) {
		known = &db->found;
		rc = ask_one(db, sha256, known, w);
	}
	*k = known;
	return rc == 1 ? known->id != 0 : rc;
}

int
store_find_serial(struct store *db, const struct cert *c, int64_t *id,
    struct reason *w)
{
	struct sql_st *st;
	int rc;

	if ((st = sql_ready(db, FIND_SERIAL, w)) == NULL)
		return -1;
	sql_bind_s(st, 1, c->serial);
	sql_bind_s(st, 2, c->issuer);
	if ((rc = sql_step(st, w)) == 1) {
		*id = sql_int(st, 0);
		sql_reset(st);
	}
	return rc;
}

static int
put_request(struct store *db, const struct store_row *r,
    const struct store_key *k, struct reason *w)
{
	const struct cert *c = r->cert;
	struct sql_st *st;
	char when[24];

	if ((st = sql_ready(db, PUT_REQUEST, w)) == NULL)
		return 0;
	sql_bind_i(st, 1, r->id);
	if (k != NULL) {
		sql_bind_b(st, 2, k->blob, k->len);
		sql_bind_s(st, 3, k->hashes);
		sql_bind_s(st, 4, k->format);
		sql_bind_i(st, 5, k->audit > 0 ? k->audit : db->audit);
	}
	sql_bind_i(st, 6, r->disposition);
	sql_bind_s(st, 7,
	    r->disposition == DISP_FOREIGN ? "foreign certificate imported" :
					     "certificate imported");
	sql_bind_s(st, 8, r->submitted != NULL ? r->submitted : sql_now(when));
	sql_bind_s(st, 9, r->requester);
	sql_bind_s(st, 10, r->caller);
	sql_bind_s(st, 11, c->subject);
	sql_bind_s(st, 12, c->cn);
	sql_bind_s(st, 13, c->ou);
	sql_bind_s(st, 14, c->org);
	sql_bind_s(st, 15, c->mail);
	sql_bind_seen(st, 16, &r->seen);
	sql_bind_i(st, 22, r->audit > 0 ? r->audit : db->audit);
	return sql_put(st, w);
}

static int
put_cert(struct store *db, const struct cert *c, int64_t id, struct reason *w)
{
	char sha1[41], sha256[65], spki[65];
	struct sql_st *st;

	if ((st = sql_ready(db, PUT_CERT, w)) == NULL)
		return 0;
	sql_bind_i(st, 1, id);
	sql_bind_b(st, 2, c->der, c->len);
	sql_bind_hex(st, 3, c->sha1, sizeof(c->sha1), sha1);
	sql_bind_hex(st, 4, c->sha256, sizeof(c->sha256), sha256);
	sql_bind_s(st, 5, c->serial);
	sql_bind_s(st, 6, c->issuer);
	sql_bind_s(st, 7, c->not_before);
	sql_bind_s(st, 8, c->not_after);
	sql_bind_s(st, 9, c->ski);
	sql_bind_b(st, 10, c->key, c->keylen);
	sql_bind_i(st, 11, c->bits);
	sql_bind_s(st, 12, c->oid);
	sql_bind_b(st, 13, c->params, c->paramslen);
	sql_bind_hex(st, 14, c->spki, sizeof(c->spki), spki);
	sql_bind_s(st, 15, c->upn);
	sql_bind_s(st, 16, c->subject);
	sql_bind_s(st, 17, c->cn);
	sql_bind_s(st, 18, c->ou);
	sql_bind_s(st, 19, c->org);
	sql_bind_s(st, 20, c->mail);
	return sql_put(st, w);
}

int
store_next_id(struct store *db, int64_t *id, struct reason *w)
{
	if (db->request == INT64_MAX)
		return reason_set(w, "database",
		    "%s: no row can follow row %lld " STORE_ALTERED, db->name,
		    (long long)db->request);
	*id = ++db->request;
	return 1;
}

int
store_put_row(struct store *db, const struct store_row *r,
    const struct store_key *k, struct reason *w)
{
	struct store_known *known = known0(db, r->cert->sha256);

	if (known != NULL)
		set_known(known, r->id, k != NULL, r->seen.group, r->seen.user,
		    r->seen.mail);
	return put_request(db, r, k, w) && put_cert(db, r->cert, r->id, w);
}

int
store_put_key(struct store *db, int64_t id, const struct store_key *k,
    struct reason *w)
{
	struct sql_st *st;

	size_t i;

	for (i = 0; i < db->nknown; i++)
		if (db->known[i].id == id)
			db->known[i].has_key = 1;
	if ((st = sql_ready(db, PUT_KEY, w)) == NULL)
		return 0;
	sql_bind_b(st, 1, k->blob, k->len);
	sql_bind_s(st, 2, k->hashes);
	sql_bind_s(st, 3, k->format);
	sql_bind_i(st, 4, k->audit > 0 ? k->audit : db->audit);
	sql_bind_i(st, 5, id);
	return sql_put(st, w);
}
