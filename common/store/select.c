#include "base/array.h"
#include "store/store.h"

/* Finds, counts and gives rows. */

/*
 * Remembers a wanted row and the name under which it is.  If a token is the
 * user of one of its names, it does not mean users of others.
 */
static void
choose(struct store *db, int64_t id, int64_t name, int how)
{
	size_t n = db->nchosen;
	int again = n > 0 && db->chosen[n - 1].id == id;

	if (again && db->chosen[n - 1].how > how)
		return;
	while (
	    n > 0 && db->chosen[n - 1].id == id && db->chosen[n - 1].how < how)
		n--;
	db->chosen = array_grow(db->chosen, &db->chosen_room, n + 1,
	    sizeof(*db->chosen));
	db->chosen[n] = (struct store_chosen){ id, name, how };
	db->nchosen = n + 1;
	db->nrows += !again;
}

/* Gives the row at hand as the search looks at it, under its own name. */
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
	r->former = sql_int(st, 18) != 0;
	r->source = sql_col_text(st, 20);
	r->is_fault = 0;
}

/* Looks at a row under one of its names. */
static void
look(struct store *db, struct query *q, const struct query_row *r, int64_t name)
{
	int how = query_wants(q, r);

	if (how > 0)
		choose(db, r->id, r->former ? NAME_ALL : name, how);
}

/* Looks at the row at hand under its other name there, if it has one. */
static void
look_other(struct store *db, struct query *q, const struct sql_st *st,
    struct query_row *r)
{
	int64_t name = sql_int(st, 14);

	if (name == 0)
		return;
	r->group = sql_col_text(st, 15);
	r->user = sql_col_text(st, 16);
	r->mail = sql_col_text(st, 17);
	r->former = sql_int(st, 19) != 0;
	r->source = sql_col_text(st, 21);
	look(db, q, r, name);
}

/* Reports that RequestID does not grow from row to row.  Returns -1 with *w. */
static int
no_order(const struct store *db, struct reason *w)
{
	return reason_fail(w, "database",
	    "%s: cannot read: the rows are not in order " STORE_ALTERED,
	    db->name);
}

/* Looks at the next rows.  Returns 1, 0 at the end, -1 with *w. */
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
		if (r.id < *after || (r.id == *after && !some)) {
			sql_reset(st);
			return no_order(db, w);
		}
		if (r.id > *after)
			look(db, q, &r, NAME_OWN);
		look_other(db, q, st, &r);
		*after = r.id;
		some = 1;
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
		*rows = db->nrows;
		*last = *rows == 0 ? 0 : db->chosen[db->nchosen - 1].id;
		return 1;
	}
	if ((st = sql_ready(db, COUNT, w)) == NULL || !sql_one(st, w))
		return 0;
	*rows = (unsigned long long)sql_int(st, 0);
	*last = sql_int(st, 1);
	sql_reset(st);
	return 1;
}

/* Returns the first chosen row behind this one, or nchosen. */
static size_t
chosen_behind(const struct store *db, int64_t after)
{
	size_t lo = 0, hi = db->nchosen, i;

	while (lo < hi) {
		i = lo + (hi - lo) / 2;
		if (db->chosen[i].id <= after)
			lo = i + 1;
		else
			hi = i;
	}
	return lo;
}

/*
 * Gives the rows to ask for behind *after: up to *last, all chosen.  Returns 0
 * if there is none.
 */
static int
range(const struct store *db, int64_t *after, int64_t *last)
{
	const struct store_chosen *c = db->chosen;
	size_t i;

	*last = INT64_MAX;
	if (!db->searched)
		return 1;
	if ((i = chosen_behind(db, *after)) == db->nchosen)
		return 0;
	*after = c[i].id - 1;
	while (i + 1 < db->nchosen && c[i + 1].id <= c[i].id + 1)
		i++;
	*last = c[i].id;
	return 1;
}

/* Asks for the rows behind one.  Returns 1, 0 at the end, -1 with *w. */
static int
ask(struct store *db, int64_t after, enum store_blobs blobs, struct reason *w)
{
	static const enum sql n[] = { LIST, SELECT, SELECT_FIRST };
	int64_t last;

	if (!range(db, &after, &last))
		return 0;
	if ((db->select = sql_ready(db, n[blobs], w)) == NULL)
		return -1;
	sql_bind_i(db->select, 1, after);
	sql_bind_i(db->select, 2, last);
	return sql_step(db->select, w);
}

/* Goes to the row behind one.  Returns 1, 0 at the end, -1 with *w. */
static int
step(struct store *db, int64_t after, enum store_blobs blobs, struct reason *w)
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
store_select(struct store *db, int64_t after, enum store_blobs blobs,
    struct store_found *f, struct reason *w)
{
	struct sql_value cert, blob;
	struct sql_st *st;
	int rc;

	if (after == 0)
		db->named = 0;
	if ((rc = step(db, after, blobs, w)) != 1)
		return rc;
	st = db->select;
	if (sql_int(st, 0) <= after)
		return no_order(db, w);
	db->selected = f->id = sql_int(st, 0);
	f->disposition = (int)sql_int(st, 1);
	f->submitted = sql_str(st, 2);
	f->requester = sql_str(st, 3);
	f->ski = sql_str(st, 4);
	f->hashes = sql_str(st, 5);
	f->format = sql_str(st, 6);
	f->seen = sql_col_seen(st, 7);
	f->name = NAME_OWN;
	db->name_at = 0;
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

/* Under which name ------------------------------------------------------ */

/* Reads the names of the row, if it has others.  Returns 1, or -1 with *w. */
static int
read_names(struct store *db, int64_t id, struct reason *w)
{
	struct store_name *v;
	struct sql_st *st;
	size_t n;

	sql_forget_names(db);
	if (db->named < id) {
		if ((st = sql_ready(db, NAMED, w)) == NULL)
			return -1;
		sql_bind_i(st, 1, id - 1);
		if (!sql_one(st, w))
			return -1;
		db->named = sql_int(st, 0);
		sql_reset(st);
	}
	return db->named == id ? store_names(db, id, &v, &n, w) : 1;
}

/* Returns 1 if the row is wanted under this name. */
static int
is_chosen(const struct store *db, const struct store_name *n)
{
	size_t i;

	for (i = chosen_behind(db, n->row - 1);
	     i < db->nchosen && db->chosen[i].id == n->row; i++)
		if (db->chosen[i].name == n->id ||
		    db->chosen[i].name == NAME_ALL)
			return 1;
	return !db->searched;
}

/* Returns 1 if the row was given under this group and user. */
static int
was_given(const struct store *db, const struct store_name *n)
{
	size_t i;

	for (i = 0; i < db->name_at; i++)
		if (db->names[i].given &&
		    text_same(db->names[i].seen.group, n->seen.group) &&
		    text_same(db->names[i].seen.user, n->seen.user))
			return 1;
	return 0;
}

int
store_select_name(struct store *db, struct store_found *f, struct reason *w)
{
	struct store_name *n;

	if (db->name_at == 0 && read_names(db, f->id, w) == -1)
		return -1;
	if (db->nnames == 0)
		return db->name_at++ == 0;
	for (; db->name_at < db->nnames; db->name_at++) {
		n = &db->names[db->name_at];
		if (n->former || !is_chosen(db, n) || was_given(db, n))
			continue;
		n->given = 1;
		db->name_at++;
		f->name = n->id;
		f->seen = n->seen;
		return 1;
	}
	return 0;
}
