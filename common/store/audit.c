#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/commit.h"
#include "store/schema.h"
#include "store/store.h"

/* Checking the chain, and what it says of the rows. */

#define GO_BACK "compare with the results of ca-import, or go back to a copy"

/* Is it a commit that may write agents and the CA certificate? */
static int
sets_up(const char *action)
{
	return strcmp(action, "init") == 0 || strcmp(action, "kra") == 0;
}

/* The tables that a commit of this action writes to. */
static const char *
tables(const char *action)
{
	if (strcmp(action, "import") == 0)
		return "request and certificate";
	if (sets_up(action))
		return "kra and config";
	return strcmp(action, "flag") == 0 ? "config only" : "audit only";
}

/* The number that stands in a detail behind NAME=; 0 if there is none. */
static unsigned long long
counted(const char *detail, const char *name)
{
	size_t n = strlen(name);
	const char *p = detail;

	for (; (p = strstr(p, name)) != NULL; p += n)
		if ((p == detail || p[-1] == ' ') && p[n] == '=')
			return strtoull(p + n + 1, NULL, 10);
	return 0;
}

/* Did the commit write what its action may write, and as much as it says? */
static int
plausible(const struct commit_wrote *cw, const char *action, const char *detail)
{
	unsigned long long results = 0, agents = 0;

	if (strcmp(action, "import") == 0)
		results = counted(detail, "results");
	if (sets_up(action))
		agents = counted(detail, "kras");
	return cw->certs <= results && cw->keys <= results &&
	    cw->agents == agents && (cw->ca == 0 || sets_up(action));
}

/* The row of COMMIT_PAGE at hand: chain, digest of its rows. */
static int
audit_row(struct store *db, const struct sql_st *st, char before[65],
    struct reason *w)
{
	char hash[65], id[24];
	const char *field[7] = { id };
	struct commit_wrote cw;
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
	if (!commit_chain(before, field, hash) || strcmp(hash, field[6]) != 0)
		return reason_set(w, "audit",
		    "audit row %s does not follow from the one "
		    "before it: rows were edited, deleted or moved: " GO_BACK,
		    id);
	if (!commit_wrote(db, WROTE_KEY, sql_int(st, 0), &cw, w))
		return -1;
	if (strcmp(cw.digest, field[5]) != 0)
		return reason_set(w, "audit",
		    "what audit row %s recorded was changed since: rows were "
		    "edited, added or deleted (%s of %s, %s, wrote to %s): " GO_BACK,
		    id, field[3], field[2], field[1], tables(field[3]));
	if (!plausible(&cw, field[3], field[4]))
		return reason_set(w, "audit",
		    "audit row %s vouches for what was planted before it: %s "
		    "of %s, %s, writes to %s, and not more than it counts: " GO_BACK,
		    id, field[3], field[2], field[1], tables(field[3]));
	memcpy(before, hash, sizeof(hash));
	return 1;
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
		if ((st = sql_ready(db, COMMIT_PAGE, w)) == NULL)
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
	/* of one moment, so that nobody who writes has to wait */
	if (!db->writing && !store_hold(db, w))
		return -1;
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
	return next(db, COMMIT_SINCE, after, e, w);
}

int
store_next_commit(struct store *db, int64_t after, struct store_commit *e,
    struct reason *w)
{
	return next(db, COMMIT_NEXT, after, e, w);
}
