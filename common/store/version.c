#include <string.h>

#include "base/heap.h"
#include "store/commit.h"
#include "store/store.h"

/* Later versions of archived keys: the same key, encrypted to other agents. */

int
store_version_of(struct store *db, int64_t id, struct text *hashes,
    int64_t *audit, struct reason *w)
{
	struct sql_st *st;
	int rc = sql_ask(db, VERSION_OF, id, &st, w);

	if (rc != 1)
		return rc;
	*hashes = sql_col_text(st, 0);
	*audit = sql_int(st, 1);
	return 1;
}

int
store_version_add(struct store *db, int64_t id, const struct store_key *k,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, VERSION_ADD, w);

	if (st == NULL)
		return -1;
	sql_bind_i(st, 1, id);
	sql_bind_b(st, 2, k->blob, k->len);
	sql_bind_s(st, 3, k->hashes);
	sql_bind_s(st, 4, k->format);
	sql_bind_i(st, 5, k->audit > 0 ? k->audit : db->audit);
	return sql_run(st, w);
}

int
store_next_version(struct store *db, int64_t id, int64_t audit,
    struct store_version *v, struct reason *w)
{
	struct sql_value blob;
	struct sql_st *st;
	int rc;

	if (db->version < 4)
		return 0;
	if ((st = sql_ready(db, VERSION_NEXT, w)) == NULL)
		return -1;
	sql_bind_i(st, 1, id);
	sql_bind_i(st, 2, audit);
	if ((rc = sql_step(st, w)) != 1)
		return rc;
	v->id = sql_int(st, 0);
	sql_column(st, 1, &blob);
	v->key.blob = blob.p;
	v->key.len = blob.n;
	v->key.hashes = sql_str(st, 2);
	v->key.format = sql_str(st, 3);
	v->key.audit = sql_int(st, 4);
	if (v->id < id || (v->id == id && v->key.audit <= audit))
		return reason_fail(w, "database",
		    "%s: the versions of keys are not in order " STORE_ALTERED,
		    db->name);
	return 1;
}

/* Dropping -------------------------------------------------------------- */

/* A version that a later one stands for. */
struct old {
	int64_t audit; /* the commit that wrote it */
	int first; /* it stands in request */
	size_t len;
	uint8_t sum[STORE_DROPPED];
};

/* Gives the next one of a row.  Returns 1, 0 at the end, -1 with *w. */
static int
old_next(struct store *db, int64_t id, struct old *o, struct reason *w)
{
	struct sql_st *st = sql_ready(db, OLD_NEXT, w);
	struct sql_value v;
	int rc;

	if (st == NULL)
		return -1;
	sql_bind_i(st, 1, id);
	sql_bind_i(st, 2, o->audit);
	if ((rc = sql_step(st, w)) != 1)
		return rc;
	sql_column(st, 0, &v);
	o->len = v.n;
	if (EVP_Digest(v.p, v.n, o->sum, NULL, EVP_sha256(), NULL) != 1)
		heap_nomem();
	o->audit = sql_int(st, 1);
	o->first = sql_int(st, 2) != 0;
	sql_reset(st);
	return 1;
}

/*
 * Returns 1 if the digest of the commit is over the hashes of its keys, and so
 * fits later too; else 0, or -1 with *w.  The slot keeps the last result.
 */
static int
invariant(struct store *db, int slot, int64_t audit, struct reason *w)
{
	struct commit_wrote cw;
	struct sql_st *st;

	if (db->looked_at[slot] == audit)
		return db->invariant[slot];
	if (!commit_wrote(db, COMMIT_DONE, audit, &cw, w) ||
	    (st = sql_ready(db, COMMIT_DIGEST, w)) == NULL)
		return -1;
	sql_bind_i(st, 1, audit);
	if (!sql_one(st, w))
		return -1;
	db->looked_at[slot] = audit;
	db->invariant[slot] = strcmp(cw.digest, sql_str(st, 0)) == 0;
	sql_reset(st);
	return db->invariant[slot];
}

/* Replaces a version by its SHA-256.  Returns 1, or 0 with *w. */
static int
drop(struct store *db, int64_t id, const struct old *o, struct reason *w)
{
	struct sql_st *st;

	st = sql_ready(db, o->first ? OLD_DROP : OLD_DROP_VERSION, w);
	if (st == NULL)
		return 0;
	sql_bind_b(st, 1, o->sum, sizeof(o->sum));
	sql_bind_i(st, 2, id);
	if (!o->first)
		sql_bind_i(st, 3, o->audit);
	return sql_put(st, w);
}

int
store_version_drop(struct store *db, int64_t id, int64_t newest,
    unsigned *dropped, unsigned *kept, struct reason *w)
{
	struct old o = { .audit = 0 };
	int rc, ok;

	*dropped = *kept = 0;
	/* what stays must be what its commit left */
	if ((ok = invariant(db, 0, newest, w)) != 1)
		return ok == -1 ?
		    0 :
		    reason_set(w, "database",
			"%s: the key of row %lld is not as audit "
			"row %lld left it " STORE_ALTERED,
			db->name, (long long)id, (long long)newest);
	while ((rc = old_next(db, id, &o, w)) == 1) {
		if (o.len == STORE_DROPPED)
			continue;
		if ((ok = invariant(db, 1, o.audit, w)) == -1 ||
		    (ok && !drop(db, id, &o, w)))
			return 0;
		*(ok ? dropped : kept) += 1;
	}
	return rc == 0;
}
