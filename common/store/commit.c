#include "store/commit.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "store/store.h"

/* Digests --------------------------------------------------------------- */

int
commit_wrote(struct store *db, enum commit_look look, int64_t audit,
    struct commit_wrote *cw, struct reason *w)
{
	int now = look == COMMIT_NOW;
	const struct {
		enum sql n;
		int keys; /* blobs stand for their SHA-256 */
		unsigned long long *rows;
	} parts[] = {
		{ WROTE_CERT, 0, &cw->certs },
		{ now ? WROTE_KEY_NOW : WROTE_KEY, look != COMMIT_OLD,
		    &cw->keys },
		{ now ? WROTE_VERSION_NOW : WROTE_VERSION, 1, &cw->versions },
		{ WROTE_NAME, 0, &cw->names },
		{ WROTE_FAULT, 0, &cw->faults },
		{ WROTE_CURE, 0, &cw->cures },
		{ WROTE_AGENT, 0, &cw->agents },
		{ WROTE_CA, 0, &cw->ca },
	};
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct sql_st *st;
	uint8_t sum[32];
	size_t i;
	int rc;

	reason_set(w, "database", "cannot hash what is written");
	rc = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	for (i = 0; rc && i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((rc = (st = sql_ready(db, parts[i].n, w)) != NULL)) {
			sql_bind_i(st, 1, audit);
			rc = sql_hash(md, st, parts[i].keys, parts[i].rows, w);
		}
	rc = rc && EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	if (rc)
		encode_hex(cw->digest, sum, sizeof(sum));
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

/* Gives the last commit: its number, 0 if there is none, and its Hash. */
static int
last_commit(struct store *db, int64_t *id, char hash[65], struct reason *w)
{
	struct sql_st *st = sql_ready(db, COMMIT_LAST, w);
	int rc;

	*id = 0;
	hash[0] = '\0';
	if (st == NULL || (rc = sql_step(st, w)) == -1)
		return 0;
	if (rc == 1) {
		*id = sql_int(st, 0);
		(void)snprintf(hash, 65, "%s", sql_str(st, 1));
		sql_reset(st);
	}
	if (rc == 1 && (*id < 1 || *id == INT64_MAX))
		return reason_set(w, "database",
		    "%s: no audit row can follow row %lld " STORE_ALTERED,
		    db->name, (long long)*id);
	return 1;
}

/*
 * Checks that nothing has the number of a commit to come: it was planted, and
 * that commit would vouch for it.  Returns 1, or 0 with *w.
 */
static int
none_ahead(struct store *db, struct reason *w)
{
	struct sql_st *st = sql_ready(db, AHEAD, w);
	int rc;

	if (st == NULL)
		return 0;
	sql_bind_i(st, 1, db->audit);
	if ((rc = sql_step(st, w)) == 1) {
		reason_set(w, "database",
		    "%s: altered: %s says that audit row %lld wrote it, which "
		    "is not there yet: find out who put it there, and delete "
		    "it " STORE_ALTERED,
		    db->name, sql_str(st, 0), (long long)sql_int(st, 1));
		sql_reset(st);
	}
	return rc == 0;
}

int
store_begin(struct store *db, struct reason *w)
{
	struct sql_st *st;

	if (!db->driver->begin(db, w))
		return 0;
	db->writing = 1;
	if (!last_commit(db, &db->audit, db->last, w))
		return 0;
	db->audit++;
	if (db->first == 0)
		db->first = db->audit;
	if (!none_ahead(db, w) || (st = sql_ready(db, ROW_LAST, w)) == NULL ||
	    !sql_one(st, w))
		return 0;
	sql_forget(db);
	db->last_name = 0;
	db->request = sql_int(st, 0);
	sql_reset(st);
	return 1;
}

int
store_hold(struct store *db, struct reason *w)
{
	if (db->held)
		return 1;
	db->bounded = db->writing;
	db->bound = db->request;
	return db->held = db->driver->hold(db, w);
}

/* Adds the audit row.  A server may have another time, caller and hash. */
static int
add_commit(struct store *db, const char *caller, const char *action,
    const char *detail, struct reason *w)
{
	char id[24], when[24], hash[65];
	struct commit_wrote cw;
	const char *const field[6] = { id, when, caller, action, detail,
		cw.digest };
	struct sql_st *st;
	int i;

	(void)snprintf(id, sizeof(id), "%lld", (long long)db->audit);
	(void)sql_now(when);
	if (!commit_wrote(db, COMMIT_NOW, db->audit, &cw, w))
		return 0;
	if (!commit_chain(db->last, field, hash))
		return reason_set(w, "database", "cannot hash the audit row");
	if ((st = sql_ready(db, COMMIT_ADD, w)) == NULL)
		return 0;
	sql_bind_i(st, 1, db->audit);
	for (i = 1; i < 6; i++)
		sql_bind_s(st, i + 1, field[i]);
	sql_bind_s(st, 7, hash);
	return sql_put(st, w);
}

int
commit_end(struct store *db, struct reason *w)
{
	int rc = db->driver->commit(db, w);

	db->writing = !rc;
	return rc;
}

int
store_commit(struct store *db, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct reason *w)
{
	char hash[65];
	int64_t id;

	if (!add_commit(db, caller, action, detail, w) ||
	    !last_commit(db, &id, hash, w))
		return 0;
	if (id != db->audit)
		return sql_not_put(db, w);
	if (!commit_end(db, w))
		return 0;
	(void)snprintf(head, AUDIT_HEAD_MAX, "%lld:%s", (long long)id, hash);
	return 1;
}

void
store_rollback(struct store *db)
{
	db->driver->rollback(db);
	db->writing = 0;
}
