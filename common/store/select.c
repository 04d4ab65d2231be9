#include "base/array.h"
#include "store/store.h"

/* Rows that are looked for, counted and given out. */

/* Remembers a row that is wanted. */
static void
choose(struct store *db, int64_t id)
{
	db->chosen = array_grow(db->chosen, &db->chosen_room, db->nchosen + 1,
	    sizeof(*db->chosen));
	db->chosen[db->nchosen++] = id;
}

/* The row at hand as the search looks at it. */
static void
row_of(const struct sql_st *st, struct query_row *r)
{
	r->id = sql_int(st, 0);
	r->group = sql_col_text(st, 1);
	r->user = sql_col_text(st, 2);
	r->mail = sql_col_text(st, 3);
	r->cn = sql_col_text(st, 4);
	r->upn = sql_col_text(st, 5);
	r->cert_mail = sql_col_text(st, 6);
	r->requester = sql_col_text(st, 7);
	r->serial = sql_str(st, 8);
	r->sha1 = sql_str(st, 9);
	r->sha256 = sql_str(st, 10);
	r->ski = sql_str(st, 11);
	r->not_before = sql_str(st, 12);
	r->not_after = sql_str(st, 13);
}

/* -1 with *w: RequestID does not grow from row to row. */
static int
no_order(const struct store *db, struct reason *w)
{
	return reason_fail(w, "database",
	    "%s: cannot read: the rows are not in order " STORE_ALTERED,
	    db->name);
}

/* Looks at the rows that follow one, as many as come.  1, 0: none, -1 *w. */
static int
search_page(struct store *db, struct query *q, int64_t *after, struct reason *w)
{
	struct sql_st *st = sql_ready(db, NAMES, w);
	struct query_row r;
	int rc, some = 0;

	if (st == NULL)
		return -1;
	sql_bind_i(st, 1, *after);
	while ((rc = sql_step(st, w)) == 1) {
		row_of(st, &r);
		if (r.id <= *after) {
			sql_reset(st);
			return no_order(db, w);
		}
		*after = r.id;
		some = 1;
		if (query_wants(q, &r))
			choose(db, r.id);
	}
	return rc == 0 ? some : -1;
}

int
store_search(struct store *db, struct query *q, struct reason *w)
{
	int64_t after = 0;
	int rc;

	if (query_all(q))
		return 1;
	db->searched = 1;
	while ((rc = search_page(db, q, &after, w)) == 1)
		continue;
	return rc == 0;
}

int
store_count(struct store *db, unsigned long long *rows, int64_t *last,
    struct reason *w)
{
	struct sql_st *st;

	if (db->searched) {
		*rows = db->nchosen;
		*last = *rows == 0 ? 0 : db->chosen[db->nchosen - 1];
		return 1;
	}
	if ((st = sql_ready(db, COUNT, w)) == NULL || !sql_one(st, w))
		return 0;
	*rows = (unsigned long long)sql_int(st, 0);
	*last = sql_int(st, 1);
	sql_reset(st);
	return 1;
}

/*
 * The rows to ask for behind *after: up to *last, without one that was not
 * chosen.  Returns 0 if there is none.
 */
static int
range(const struct store *db, int64_t *after, int64_t *last)
{
	size_t lo = 0, hi = db->nchosen, i;

	*last = INT64_MAX;
	if (!db->searched)
		return 1;
	while (lo < hi) {
		i = lo + (hi - lo) / 2;
		if (db->chosen[i] <= *after)
			lo = i + 1;
		else
			hi = i;
	}
	if (lo == db->nchosen)
		return 0;
	*after = db->chosen[lo] - 1;
	while (lo + 1 < db->nchosen && db->chosen[lo + 1] == db->chosen[lo] + 1)
		lo++;
	*last = db->chosen[lo];
	return 1;
}

/* Asks for the rows behind one.  1: the first is at hand; 0: none; -1 *w. */
static int
ask(struct store *db, int64_t after, int blobs, struct reason *w)
{
	int64_t last;

	if (!range(db, &after, &last))
		return 0;
	if ((db->select = sql_ready(db, blobs ? SELECT : LIST, w)) == NULL)
		return -1;
	sql_bind_i(db->select, 1, after);
	sql_bind_i(db->select, 2, last);
	return sql_step(db->select, w);
}

/* Steps to the row behind one.  1, 0: there is none, -1 with *w. */
static int
step(struct store *db, int64_t after, int blobs, struct reason *w)
{
	int rc = 0;

	/* goes on where it stands, if the caller does too */
	if (db->select != NULL && after != 0 && after == db->selected)
		rc = sql_step(db->select, w);
	/* a page, or a range, may end before the last row */
	if (rc == 0)
		rc = ask(db, after, blobs, w);
	if (rc == 1 && db->bounded && sql_int(db->select, 0) > db->bound) {
		sql_reset(db->select);
		rc = 0;
	}
	if (rc != 1)
		db->select = NULL;
	return rc;
}

int
store_select(struct store *db, int64_t after, int blobs, struct store_found *f,
    struct reason *w)
{
	struct sql_value cert, blob;
	struct sql_st *st;
	int rc;

	if ((rc = step(db, after, blobs, w)) != 1)
		return rc;
	st = db->select;
	if (sql_int(st, 0) <= after)
		return no_order(db, w);
	db->selected = f->id = sql_int(st, 0);
	f->disposition = (int)sql_int(st, 1);
	f->submitted = sql_str(st, 2);
	f->requester = sql_str(st, 3);
	f->stream = sql_str(st, 4);
	f->ski = sql_str(st, 5);
	f->hashes = sql_str(st, 6);
	f->format = sql_str(st, 7);
	f->group = sql_col_text(st, 8);
	f->user = sql_col_text(st, 9);
	f->mail = sql_col_text(st, 10);
	f->guid = sql_col_text(st, 11);
	f->source = sql_col_text(st, 12);
	sql_column(st, 13, &cert);
	f->cert = cert.p;
	f->certlen = cert.n;
	f->caller = sql_str(st, 14);
	f->cert_audit = sql_int(st, 15);
	f->key_audit = sql_int(st, 16);
	sql_column(st, 17, &blob);
	f->blob = blob.p;
	f->bloblen = blob.n;
	return 1;
}
