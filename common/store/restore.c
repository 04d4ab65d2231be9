#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "store/commit.h"
#include "store/store.h"

/* Copies from archive to archive as it is: the chain stays what it was. */

/* Reading --------------------------------------------------------------- */

int
store_next_setting(struct store *db, const char *after, struct store_setting *s,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, SETTING_NEXT, w);
	struct sql_value v;
	int rc;

	if (st == NULL)
		return -1;
	sql_bind_s(st, 1, after);
	if ((rc = sql_step(st, w)) != 1)
		return rc;
	s->name = sql_str(st, 0);
	if (strcmp(s->name, after) <= 0 || strlen(s->name) >= SETTING_NAME_ROOM)
		return reason_fail(w, "database",
		    "%s: a setting that nobody made " STORE_ALTERED, db->name);
	s->value = (uint32_t)sql_int(st, 1);
	sql_column(st, 2, &v);
	s->cert = v.type == SQL_BLOB ? v.p : NULL;
	s->len = v.n;
	s->audit = sql_int(st, 3);
	return 1;
}

int
store_next_agent(struct store *db, int64_t after, struct store_agent *a,
    struct reason *w)
{
	struct sql_value v;
	struct sql_st *st;
	int rc = sql_ask(db, AGENT_NEXT, after, &st, w);

	if (rc != 1)
		return rc;
	a->id = sql_int(st, 0);
	sql_column(st, 1, &v);
	a->cert = v.p;
	a->len = v.n;
	a->added = sql_str(st, 2);
	a->audit = sql_int(st, 3);
	return 1;
}

/* Writing --------------------------------------------------------------- */

/* Reports something there that is no copy.  Returns -1 with *w. */
static int
other(const struct store *db, const char *what, int64_t id, struct reason *w)
{
	return reason_fail(w, "copy",
	    "%s: %s %lld differs: this archive is not a copy of that "
	    "one, or both have changed since: make a new copy (ca-init "
	    "-f)",
	    db->name, what, (long long)id);
}

int
restore_there(struct store *db, enum sql n, const char *what, int64_t id,
    const char *same, struct reason *w)
{
	struct sql_st *st;
	int rc = sql_ask(db, n, id, &st, w);

	if (rc != 1)
		return rc;
	rc = strcmp(sql_str(st, 0), same) == 0 ? 1 : other(db, what, id, w);
	sql_reset(st);
	return rc;
}

int
restore_commit(struct store *db, const struct store_commit *e, struct reason *w)
{
	char id[24], hash[65];
	const char *const field[7] = { id, e->when, e->caller, e->action,
		e->detail, e->digest, e->hash };
	struct sql_st *st;
	int i, rc;

	if ((rc = restore_there(db, COMMIT_OF, "audit row", e->id, e->hash,
		 w)) != 0)
		return rc == 1 ? 0 : -1;
	if (e->id != db->audit)
		return other(db, "audit row", db->audit, w);
	(void)snprintf(id, sizeof(id), "%lld", (long long)e->id);
	if (!commit_chain(db->last, field, hash) || strcmp(hash, e->hash) != 0)
		return reason_fail(w, "copy",
		    "audit row %s does not follow from the one before "
		    "it: the archive or the stream was altered",
		    id);
	if ((st = sql_ready(db, COMMIT_ADD, w)) == NULL)
		return -1;
	sql_bind_i(st, 1, e->id);
	for (i = 1; i < 7; i++)
		sql_bind_s(st, i + 1, field[i]);
	if (!sql_put(st, w))
		return -1;
	db->audit++;
	memcpy(db->last, hash, sizeof(hash));
	return 1;
}

int
restore_setting(struct store *db, const struct store_setting *s,
    struct reason *w)
{
	struct sql_st *st = sql_ready(db, SETTING_COPY, w);

	if (st == NULL)
		return -1;
	sql_bind_s(st, 1, s->name);
	if (s->cert != NULL)
		sql_bind_b(st, 3, s->cert, s->len);
	else
		sql_bind_i(st, 2, s->value);
	sql_bind_i(st, 4, s->audit);
	return sql_run(st, w);
}

int
restore_agent(struct store *db, const struct store_agent *a,
    const struct cert *c, struct reason *w)
{
	char sha1[41], sha256[65];
	struct sql_st *st;
	int rc;

	encode_hex(sha256, c->sha256, sizeof(c->sha256));
	if ((rc = restore_there(db, AGENT_OF, "agent", a->id, sha256, w)) != 0)
		return rc == 1 ? 0 : -1;
	if ((st = sql_ready(db, AGENT_COPY, w)) == NULL)
		return -1;
	sql_bind_i(st, 1, a->id);
	sql_bind_hex(st, 2, c->sha1, sizeof(c->sha1), sha1);
	sql_bind_s(st, 3, sha256);
	sql_bind_b(st, 4, c->der, c->len);
	sql_bind_s(st, 5, a->added);
	sql_bind_i(st, 6, a->audit);
	return sql_put(st, w) ? 1 : -1;
}

int
restore_row(struct store *db, const struct store_row *r,
    const struct store_key *k, struct reason *w)
{
	char sha256[65];
	int64_t id = r->id;
	const struct store_known *known;
	int rc, has_key = 0;

	encode_hex(sha256, r->cert->sha256, sizeof(r->cert->sha256));
	if ((rc = restore_there(db, ROW_OF, "row", id, sha256, w)) == -1)
		return -1;
	switch (store_find(db, r->cert->sha256, &known, w)) {
	case -1:
		return -1;
	case 1:
		id = known->id;
		has_key = known->has_key;
	}
	if (id != r->id)
		return other(db, "row", id, w);
	if (rc == 1 && (has_key || k == NULL))
		return 0;
	if (rc == 0 ? !store_put_row(db, r, k, w) :
		      k != NULL && !store_put_key(db, id, k, w))
		return -1;
	return rc == 0 ? 1 : 2;
}

static int
same_name(const struct store_name *a, const struct store_name *b)
{
	return a->row == b->row && text_same(a->seen.group, b->seen.group) &&
	    text_same(a->seen.user, b->seen.user) &&
	    text_same(a->seen.mail, b->seen.mail) &&
	    text_same(a->seen.guid, b->seen.guid) &&
	    text_same(a->seen.source, b->seen.source) &&
	    strcmp(a->seen.stream, b->seen.stream) == 0 &&
	    a->replaces == b->replaces && a->audit == b->audit;
}

int
restore_name(struct store *db, struct store_name *n, struct reason *w)
{
	struct store_name is;
	struct sql_st *st;
	int rc = store_name_get(db, n->id, &is, w);

	if (rc == 1)
		return same_name(n, &is) ? 0 : other(db, "name", n->id, w);
	if (rc == -1 || (rc = sql_ask(db, ROW_OF, n->row, &st, w)) == -1)
		return -1;
	sql_reset(st);
	if (rc == 1)
		return store_name_add(db, n, w) ? 1 : -1;
	reason_set(w, "copy", "name %lld is of row %lld, which is not there",
	    (long long)n->id, (long long)n->row);
	return 2;
}

int
restore_end(struct store *db, char head[AUDIT_HEAD_MAX], struct reason *w)
{
	(void)snprintf(head, AUDIT_HEAD_MAX, "%lld:%s",
	    (long long)db->audit - 1, db->last);
	return commit_end(db, w);
}
