#include <string.h>

#include "base/array.h"
#include "store/store.h"

/* The names of rows. */

/* Gives the NameID of the next name.  Returns 1, or 0 with *w. */
static int
next_id(struct store *db, int64_t *id, struct reason *w)
{
	struct sql_st *st;

	if (db->last_name == 0) {
		if ((st = sql_ready(db, NAME_LAST, w)) == NULL ||
		    !sql_one(st, w))
			return 0;
		db->last_name = sql_int(st, 0);
		sql_reset(st);
	}
	if (db->last_name == INT64_MAX)
		return reason_set(w, "database",
		    "%s: no name can follow name %lld " STORE_ALTERED, db->name,
		    (long long)db->last_name);
	*id = ++db->last_name;
	return 1;
}

int
store_name_add(struct store *db, struct store_name *n, struct reason *w)
{
	struct sql_st *st;

	if ((n->id == 0 && !next_id(db, &n->id, w)) ||
	    (st = sql_ready(db, NAME_ADD, w)) == NULL)
		return 0;
	if (n->audit == 0)
		n->audit = db->audit;
	sql_bind_i(st, 1, n->id);
	sql_bind_i(st, 2, n->row);
	sql_bind_seen(st, 3, &n->seen);
	if (n->replaces != NAME_NONE)
		sql_bind_i(st, 9, n->replaces);
	sql_bind_i(st, 10, n->audit);
	return sql_put(st, w);
}

/* Reads the name at hand, of NAME_NEXT and similar statements. */
static void
read_name(const struct sql_st *st, struct store_name *n)
{
	struct sql_value replaces;

	memset(n, 0, sizeof(*n));
	n->id = sql_int(st, 0);
	n->row = sql_int(st, 1);
	n->seen = sql_col_seen(st, 2);
	sql_column(st, 8, &replaces);
	n->replaces = replaces.type == SQL_INT ? replaces.i : NAME_NONE;
	n->audit = sql_int(st, 9);
}

static int
step(struct store *db, enum sql which, int64_t id, struct store_name *n,
    struct reason *w)
{
	struct sql_st *st;
	int rc = sql_ask(db, which, id, &st, w);

	if (rc == 1)
		read_name(st, n);
	return rc;
}

int
store_next_name(struct store *db, int64_t after, struct store_name *n,
    struct reason *w)
{
	/* before version 4 there were none */
	return db->version < 4 ? 0 : step(db, NAME_NEXT, after, n, w);
}

int
store_name_get(struct store *db, int64_t id, struct store_name *n,
    struct reason *w)
{
	return step(db, NAME_IS, id, n, w);
}

/* All of one row -------------------------------------------------------- */

/* Keeps the name at hand, and marks the one that it replaces as former. */
static void
keep(struct store *db, const struct sql_st *st)
{
	struct store_seen seen;
	struct store_name *n;
	size_t i;

	db->names = array_grow(db->names, &db->names_room, db->nnames + 1,
	    sizeof(*db->names));
	n = &db->names[db->nnames++];
	read_name(st, n);
	seen = n->seen;
	n->seen.group = sql_text_dup(seen.group);
	n->seen.user = sql_text_dup(seen.user);
	n->seen.mail = sql_text_dup(seen.mail);
	n->seen.guid = sql_text_dup(seen.guid);
	n->seen.source = sql_text_dup(seen.source);
	n->seen.stream =
	    sql_text_dup((struct text){ seen.stream, strlen(seen.stream) }).s;
	for (i = 0; i + 1 < db->nnames; i++)
		db->names[i].former |= db->names[i].id == n->replaces;
}

int
store_names(struct store *db, int64_t row, struct store_name **v, size_t *n,
    struct reason *w)
{
	struct sql_st *st;
	int rc;

	sql_forget_names(db);
	for (rc = sql_ask(db, NAMES_OF, row, &st, w); rc == 1;
	     rc = sql_step(st, w)) {
		if (db->nnames == NAMES_MAX) {
			sql_reset(st);
			return reason_fail(w, "database",
			    "%s: row %lld has more than %d names " STORE_ALTERED,
			    db->name, (long long)row, NAMES_MAX);
		}
		keep(db, st);
	}
	*v = db->names;
	*n = db->nnames;
	return rc == 0 ? db->nnames > 0 : rc;
}
