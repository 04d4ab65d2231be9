#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/msg.h"
#include "store/driver.h"
#include "store/store.h"

#define GO_BACK "compare with the results of ca-import, or go back to a copy"

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
hash_row(EVP_MD_CTX *md, struct sql_st *st)
{
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

/*
 * The digest of all that the commit with this number wrote; key is how to read
 * the keys.
 */
static int
digest(struct store *db, enum sql key, int64_t audit, char hex[65],
    struct reason *w)
{
	const enum sql parts[] = { CERT_OF, key, KRA_OF, CA_OF };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct sql_st *st;
	uint8_t sum[32];
	size_t i;
	int step, rc = 0;

	reason_set(w, "database", "cannot hash what is written");
	if (md == NULL || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		goto out;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((st = sql_ready(db, parts[i], w)) == NULL)
			goto out;
		sql_bind_i(st, 1, audit);
		while ((step = sql_step(st, w)) == 1)
			hash_row(md, st);
		if (step == -1)
			goto out;
	}
	rc = EVP_DigestFinal_ex(md, sum, NULL);
	if (rc)
		encode_hex(hex, sum, sizeof(sum));
out:
	EVP_MD_CTX_free(md);
	return rc;
}

int
sql_chain(const char *before, const char *const field[6], char hex[65])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char head[24];
	uint8_t sum[32];
	int i, rc;

	rc = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(md, before, strlen(before));
	for (i = 0; rc && i < 6; i++) {
		(void)snprintf(head, sizeof(head), "%zu:", strlen(field[i]));
		rc = EVP_DigestUpdate(md, head, strlen(head)) &&
		    EVP_DigestUpdate(md, field[i], strlen(field[i]));
	}
	rc = rc && EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	encode_hex(hex, sum, sizeof(sum));
	return rc;
}

/* Transactions ---------------------------------------------------------- */

/* The audit row that comes next, and the hash of the last. */
static int
next_audit(struct store *db, struct reason *w)
{
	struct sql_st *st = sql_ready(db, AUDIT_LAST, w);
	int64_t last = 0;
	int rc;

	db->last[0] = '\0';
	if (st == NULL || (rc = sql_step(st, w)) == -1)
		return 0;
	if (rc == 1) {
		last = sql_int(st, 0);
		(void)snprintf(db->last, sizeof(db->last), "%s",
		    sql_str(st, 1));
		sql_reset(st);
		if (last < 1 || last == INT64_MAX)
			return reason_set(w, "database",
			    "%s: no audit row can follow row %lld " STORE_ALTERED,
			    db->name, (long long)last);
	}
	db->audit = last + 1;
	return 1;
}

int
store_begin(struct store *db, struct reason *w)
{
	struct sql_st *st;

	if (!db->driver->begin(db, w) || !next_audit(db, w) ||
	    (st = sql_ready(db, REQUEST_LAST, w)) == NULL || !sql_one(st, w))
		return 0;
	sql_forget(db);
	db->request = sql_int(st, 0);
	sql_reset(st);
	return 1;
}

int
store_hold(struct store *db, struct reason *w)
{
	return db->driver->hold(db, w);
}

int
store_commit(struct store *db, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct reason *w)
{
	char id[24], when[24], sum[65], hash[65];
	const char *const field[6] = { id, when, caller, action, detail, sum };
	struct sql_st *st;
	int i;

	(void)snprintf(id, sizeof(id), "%lld", (long long)db->audit);
	(void)sql_now(when);
	if (!digest(db, KEY_NEW, db->audit, sum, w))
		return 0;
	if (!sql_chain(db->last, field, hash))
		return reason_set(w, "database", "cannot hash the audit row");
	if ((st = sql_ready(db, AUDIT_ADD, w)) == NULL)
		return 0;
	sql_bind_i(st, 1, db->audit);
	for (i = 1; i < 6; i++)
		sql_bind_s(st, i + 1, field[i]);
	sql_bind_s(st, 7, hash);
	if (!sql_put(st, w) || !db->driver->commit(db, w))
		return 0;
	(void)snprintf(head, AUDIT_HEAD_MAX, "%s:%s", id, hash);
	return 1;
}

void
store_rollback(struct store *db)
{
	db->driver->rollback(db);
}

/* Checking -------------------------------------------------------------- */

/* The tables that a commit of this action writes to. */
static const char *
tables(const char *action)
{
	if (strcmp(action, "import") == 0)
		return "request and certificate";
	if (strcmp(action, "init") == 0 || strcmp(action, "kra") == 0)
		return "kra and config";
	return strcmp(action, "flag") == 0 ? "config only" : "audit only";
}

/* The row of AUDIT_ALL at hand: chain, digest of its rows. */
static int
audit_row(struct store *db, struct sql_st *st, char before[65],
    struct reason *w)
{
	char hash[65], sum[65], id[24];
	const char *field[7] = { id };
	struct sql_value v;
	int i;

	(void)snprintf(id, sizeof(id), "%lld", (long long)sql_int(st, 0));
	for (i = 0; i < 7; i++) {
		sql_column(st, i, &v);
		if (v.type != (i == 0 ? SQL_INT : SQL_TEXT))
			return reason_set(w, "audit",
			    "audit row with a column of another type: " GO_BACK);
		if (i > 0)
			field[i] = v.p;
		/* a NUL would hide what follows it */
		if (i > 0 && strlen(field[i]) != v.n)
			return reason_set(w, "audit",
			    "audit row with a column that is empty or holds "
			    "a NUL: " GO_BACK);
	}
	if (!sql_chain(before, field, hash) || strcmp(hash, field[6]) != 0)
		return reason_set(w, "audit",
		    "audit row %s does not follow from the one "
		    "before it: rows were edited, deleted or moved: " GO_BACK,
		    field[0]);
	if (!digest(db, KEY_OF, sql_int(st, 0), sum, w))
		return -1;
	if (strcmp(sum, field[5]) != 0)
		return reason_set(w, "audit",
		    "what audit row %s recorded was changed since: rows were "
		    "edited, added or deleted (%s of %s, %s, wrote to %s): " GO_BACK,
		    field[0], field[3], field[2], field[1], tables(field[3]));
	memcpy(before, hash, sizeof(hash));
	return 1;
}

int
sql_schema_digest(struct store *db, uint8_t sum[32], struct reason *w)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct sql_st *st = sql_ready(db, SCHEMA, w);
	int rc, step = -1;

	rc = st != NULL && md != NULL &&
	    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	while (rc && (step = sql_step(st, w)) == 1)
		hash_row(md, st);
	rc = rc && step == 0 && EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	return rc;
}

/* Returns 1, 0 if the schema is another, -1 with *w. */
static int
schema_same(struct store *db, struct reason *w)
{
	uint8_t is[32], ought[32];
	char hex[65];

	if (!db->driver->schema(db, ought, w) || !sql_schema_digest(db, is, w))
		return -1;
	if (memcmp(is, ought, sizeof(is)) == 0)
		return 1;
	msg_verbose("SHA-256 of the schema: %s",
	    encode_hex(hex, is, sizeof(is)));
	return 0;
}

int
sql_writable(struct store *db, struct reason *w)
{
	int rc = schema_same(db, w);

	if (rc == 0)
		reason_set(w, "database",
		    "%s: the schema is not that of ca-db(5): a trigger or view "
		    "may change what is written: go back to a copy, or drop it",
		    db->name);
	return rc == 1;
}

/*
 * Has SQLite look for damage: a row that is in its table, but not in an index,
 * is seen by some statements only.  Returns 1, 0 with *w if there is any, -1
 * with *w if it cannot be read.
 */
static int
integrity(struct store *db, struct reason *w)
{
	struct sql_st *st = sql_ready(db, INTEGRITY, w);
	const char *said;
	int rc;

	if (st == NULL || (rc = sql_step(st, w)) == -1)
		return -1;
	said = rc == 1 ? sql_str(st, 0) : "nothing is known";
	rc = strcmp(said, "ok") == 0 ||
	    reason_set(w, "audit", "the file is damaged: %s: " GO_BACK, said);
	sql_reset(st);
	return rc;
}

/*
 * A statement that gives what is wrong, and what to say before and behind it.
 * Returns 1, 0 with *w if it gives a row, -1 with *w if it cannot be read.
 */
static int
finds(struct store *db, enum sql n, const char *before, const char *behind,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, n, w);
	int rc = st == NULL ? -1 : sql_step(st, w);

	if (rc == 1) {
		reason_set(w, "audit", "%s%s%s", before, sql_str(st, 0),
		    behind);
		sql_reset(st);
	}
	return rc == -1 ? -1 : rc == 0;
}

/*
 * Checks the chain, page by page; *found tells that head is in it.  Returns 1,
 * 0 with *w if it was changed, -1 with *w if it cannot be read.
 */
static int
audit_rows(struct store *db, const char *head, char last[AUDIT_HEAD_MAX],
    int *found, struct reason *w)
{
	char before[65] = "";
	struct sql_st *st;
	int64_t id = INT64_MIN;
	int rc, rows;

	do {
		if ((st = sql_ready(db, AUDIT_ALL, w)) == NULL)
			return -1;
		sql_bind_i(st, 1, id);
		for (rows = 0; (rc = sql_step(st, w)) == 1; rows++) {
			if ((rc = audit_row(db, st, before, w)) != 1) {
				sql_reset(st);
				return rc;
			}
			id = sql_int(st, 0);
			(void)snprintf(last, AUDIT_HEAD_MAX, "%lld:%s",
			    (long long)id, before);
			*found |= head != NULL && strcmp(head, last) == 0;
		}
	} while (rc == 0 && rows > 0 && id++ < INT64_MAX);
	return rc == -1 ? -1 : 1;
}

int
store_audit(struct store *db, const char *head, char last[AUDIT_HEAD_MAX],
    struct reason *w)
{
	int found = 0, rc;

	last[0] = '\0';
	if ((rc = schema_same(db, w)) == 0)
		reason_set(w, "audit",
		    "the schema is not that of ca-db(5): a table, index, view "
		    "or trigger was added, dropped or changed: " GO_BACK);
	if (rc != 1 || (rc = integrity(db, w)) != 1 ||
	    (rc = audit_rows(db, head, last, &found, w)) != 1 ||
	    (rc = finds(db, ORPHANS, "",
		 " is not as the audited commits left it: " GO_BACK, w)) != 1 ||
	    (rc = finds(db, STRANGERS, "the key of row ",
		 " was encrypted to an agent that is not in the archive: find "
		 "out whose SHA-1 is in kra of ca-export -n",
		 w)) != 1)
		return rc;
	return head == NULL || found ||
	    reason_set(w, "audit",
		"the head %s is not in the chain: it was cut or written anew: " GO_BACK,
		head);
}

int
store_head(const char *s, char head[AUDIT_HEAD_MAX])
{
	size_t id = strspn(s, "0123456789"), i;

	if (id == 0 || id > 19 || *s == '0' || s[id] != ':' ||
	    strspn(s + id + 1, "0123456789abcdefABCDEF") != 64 ||
	    s[id + 65] != '\0')
		return 0;
	for (i = 0; s[i] != '\0'; i++)
		head[i] = s[i] >= 'A' && s[i] <= 'F' ?
		    (char)(s[i] - 'A' + 'a') :
		    s[i];
	head[i] = '\0';
	return 1;
}

/* The next audit row behind `after' that the statement gives. */
static int
next(struct store *db, enum sql which, int64_t after, struct store_commit *e,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, which, w);
	int rc;

	if (st == NULL)
		return -1;
	sql_bind_i(st, 1, after);
	if ((rc = sql_step(st, w)) != 1)
		return rc;
	e->id = sql_int(st, 0);
	e->when = sql_str(st, 1);
	e->caller = sql_str(st, 2);
	e->action = sql_str(st, 3);
	e->detail = sql_str(st, 4);
	e->digest = sql_str(st, 5);
	e->hash = sql_str(st, 6);
	return 1;
}

int
store_since(struct store *db, int64_t after, struct store_commit *e,
    struct reason *w)
{
	return next(db, AUDIT_SINCE, after, e, w);
}

int
store_next_commit(struct store *db, int64_t after, struct store_commit *e,
    struct reason *w)
{
	return next(db, EVENT_NEXT, after, e, w);
}
