#include "store/store.h"

/* The names of a row besides its own. */

int
store_name_add(struct store *db, const struct store_name *n, struct reason *w)
{
	struct sql_st *st = sql_ready(db, n->id > 0 ? NAME_COPY : NAME_ADD, w);

	if (st == NULL)
		return 0;
	sql_bind_i(st, 1, n->row);
	sql_bind_t(st, 2, n->group);
	sql_bind_t(st, 3, n->user);
	sql_bind_t(st, 4, n->mail);
	sql_bind_t(st, 5, n->guid);
	sql_bind_t(st, 6, n->source);
	sql_bind_s(st, 7, n->stream);
	if (n->replaces != NAME_NONE)
		sql_bind_i(st, 8, n->replaces);
	sql_bind_i(st, 9, n->audit > 0 ? n->audit : db->audit);
	if (n->id > 0)
		sql_bind_i(st, 10, n->id);
	return sql_put(st, w);
}

/* The name at hand, of NAME_NEXT and its like. */
static void
name_of(const struct sql_st *st, struct store_name *n)
{
	struct sql_value replaces;

	n->id = sql_int(st, 0);
	n->row = sql_int(st, 1);
	n->group = sql_col_text(st, 2);
	n->user = sql_col_text(st, 3);
	n->mail = sql_col_text(st, 4);
	n->guid = sql_col_text(st, 5);
	n->source = sql_col_text(st, 6);
	n->stream = sql_str(st, 7);
	sql_column(st, 8, &replaces);
	n->replaces = replaces.type == SQL_INT ? replaces.i : NAME_NONE;
	n->audit = sql_int(st, 9);
}

static int
step(struct store *db, enum sql which, int64_t id, struct store_name *n,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, which, w);
	int rc;

	if (st == NULL)
		return -1;
	sql_bind_i(st, 1, id);
	if ((rc = sql_step(st, w)) == 1)
		name_of(st, n);
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
