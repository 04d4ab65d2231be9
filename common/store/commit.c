#include "store/commit.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "store/store.h"

/* Digests --------------------------------------------------------------- */

int
commit_digest(struct store *db, enum sql key, int64_t audit, char hex[65],
    struct reason *w)
{
	const enum sql parts[] = { WROTE_CERT, key, WROTE_AGENT, WROTE_CA };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct sql_st *st;
	uint8_t sum[32];
	size_t i;
	int rc = 0;

	reason_set(w, "database", "cannot hash what is written");
	if (md == NULL || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		goto out;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((st = sql_ready(db, parts[i], w)) == NULL)
			goto out;
		sql_bind_i(st, 1, audit);
		if (!sql_hash(md, st, w))
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
commit_chain(const char *before, const char *const field[6], char hex[65])
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
next_commit(struct store *db, struct reason *w)
{
	struct sql_st *st = sql_ready(db, COMMIT_LAST, w);
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

	if (!db->driver->begin(db, w) || !next_commit(db, w) ||
	    (st = sql_ready(db, ROW_LAST, w)) == NULL || !sql_one(st, w))
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
	if (!commit_digest(db, WROTE_KEY_NOW, db->audit, sum, w))
		return 0;
	if (!commit_chain(db->last, field, hash))
		return reason_set(w, "database", "cannot hash the audit row");
	if ((st = sql_ready(db, COMMIT_ADD, w)) == NULL)
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
