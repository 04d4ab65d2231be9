#include <string.h>

#include "base/array.h"
#include "base/encode.h"
#include "store/store.h"

/* Faults: what could not be read, and what of it came later. */

/* Hashes the texts of a fault, with a length before each, to find it again. */
static int
fault_hash(const struct store_fault *f, char hex[65], struct reason *w)
{
	const struct text part[] = { f->source, f->reason, f->detail, f->group,
		f->user };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sum[32];
	char head[24];
	size_t i;
	int n, rc = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL);

	for (i = 0; rc && i < sizeof(part) / sizeof(part[0]); i++) {
		n = snprintf(head, sizeof(head), "%zu:", part[i].n);
		rc = EVP_DigestUpdate(md, head, (size_t)n) &&
		    EVP_DigestUpdate(md, part[i].s, part[i].n);
	}
	rc = rc && EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	if (!rc)
		return reason_set(w, "database", "cannot hash a fault");
	encode_hex(hex, sum, sizeof(sum));
	return 1;
}

/* Binds hash and texts from the i-th parameter on, and the stream behind. */
static void
fault_bind(struct sql_st *st, int i, const struct store_fault *f,
    const char *hash)
{
	sql_bind_s(st, i, hash);
	sql_bind_t(st, i + 1, f->source);
	sql_bind_t(st, i + 2, f->reason);
	sql_bind_t(st, i + 3, f->detail);
	sql_bind_t(st, i + 4, f->group);
	sql_bind_t(st, i + 5, f->user);
	sql_bind_s(st, i + 6, f->stream);
}

int
store_fault_add(struct store *db, const struct store_fault *f, struct reason *w)
{
	struct sql_st *st;
	char hash[65];

	if (!fault_hash(f, hash, w) ||
	    (st = sql_ready(db, FAULT_ADD, w)) == NULL)
		return -1;
	fault_bind(st, 1, f, hash);
	sql_bind_i(st, 8, db->audit);
	if (table_get0(&db->faults, hash) == NULL)
		return reason_fail(w, "ceiling", "more than %d faults",
		    FAULTS_MAX);
	return sql_run(st, w);
}

/* A fault, and the row that cures it. */
struct cure {
	int64_t fault, row;
};

/*
 * Puts the cures that the statement finds, but for faults that came again in
 * this run.  Returns 1, or 0 with *w.
 */
static int
put_cures(struct store *db, struct sql_st *st, struct reason *w)
{
	size_t n = 0, room = 0, i;
	struct cure *v = NULL;
	int rc;

	while ((rc = sql_step(st, w)) == 1)
		if (table_find0(&db->faults, sql_str(st, 1)) == NULL) {
			v = array_grow(v, &room, n + 1, sizeof(*v));
			v[n].fault = sql_int(st, 0);
			v[n++].row = sql_int(st, 2);
		}
	for (i = 0; rc != -1 && i < n; i++) {
		if ((st = sql_ready(db, CURE_COPY, w)) == NULL)
			break;
		sql_bind_i(st, 1, v[i].fault);
		sql_bind_i(st, 2, v[i].row);
		sql_bind_i(st, 3, db->audit);
		rc = sql_run(st, w);
	}
	OPENSSL_free(v);
	return rc != -1 && i == n;
}

int
store_fault_cure(struct store *db, struct reason *w)
{
	struct sql_st *st = sql_ready(db, FAULT_CURE, w);

	if (st == NULL)
		return 0;
	sql_bind_i(st, 1, db->audit);
	sql_bind_i(st, 2, db->first);
	return put_cures(db, st, w);
}

int
store_fault_cure_name(struct store *db, const struct store_name *n,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, FAULT_CURE_NAME, w);

	if (st == NULL)
		return 0;
	sql_bind_i(st, 1, n->row);
	sql_bind_t(st, 2, n->seen.source);
	sql_bind_s(st, 3, n->seen.stream);
	sql_bind_i(st, 4, db->first);
	return put_cures(db, st, w);
}

int
store_next_fault(struct store *db, int64_t after, struct store_fault *f,
    struct reason *w)
{
	struct sql_st *st;
	int rc;

	if (db->version < 4)
		return 0;
	if ((rc = sql_ask(db, FAULT_NEXT, after, &st, w)) != 1)
		return rc;
	f->id = sql_int(st, 0);
	f->source = sql_col_text(st, 1);
	f->reason = sql_col_text(st, 2);
	f->detail = sql_col_text(st, 3);
	f->group = sql_col_text(st, 4);
	f->user = sql_col_text(st, 5);
	f->stream = sql_str(st, 6);
	f->audit = sql_int(st, 7);
	f->row = sql_int(st, 8);
	f->cured = sql_int(st, 9);
	return 1;
}

int
store_fault_wanted(const struct store_fault *f, struct query *q)
{
	struct text none = { "", 0 };
	struct query_row r = { .id = f->id,
		.is_fault = 1,
		.group = f->group,
		.user = f->user,
		.mail = none,
		.cn = none,
		.upn = none,
		.cert_mail = none,
		.requester = none,
		.source = f->source,
		.serial = "",
		.sha1 = "",
		.sha256 = "",
		.ski = "",
		.not_before = "",
		.not_after = "" };

	return query_wants(q, &r);
}

/* Restores the cure of a fault.  Returns 1, 0 if it was there, -1 with *w. */
static int
restore_cure(struct store *db, const struct store_fault *f, struct reason *w)
{
	struct sql_st *st;

	if (f->cured == 0)
		return 0;
	if ((st = sql_ready(db, CURE_COPY, w)) == NULL)
		return -1;
	sql_bind_i(st, 1, f->id);
	sql_bind_i(st, 2, f->row);
	sql_bind_i(st, 3, f->cured);
	return sql_run(st, w);
}

int
restore_fault(struct store *db, const struct store_fault *f, struct reason *w)
{
	struct sql_st *st;
	char hash[65];
	int rc, cured;

	if (!fault_hash(f, hash, w) ||
	    (rc = restore_there(db, FAULT_OF, "fault", f->id, hash, w)) == -1)
		return -1;
	if (rc == 0) {
		if ((st = sql_ready(db, FAULT_COPY, w)) == NULL)
			return -1;
		sql_bind_i(st, 1, f->id);
		fault_bind(st, 2, f, hash);
		sql_bind_i(st, 9, f->audit);
		if (!sql_put(st, w))
			return -1;
	}
	if ((cured = restore_cure(db, f, w)) == -1)
		return -1;
	return rc == 0 || cured;
}
