#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/commit.h"
#include "store/schema.h"
#include "store/store.h"

/* Checks the chain, and what it says of the rows. */

#define GO_BACK "compare with the results of ca-import, or go back to a copy"

/* Returns 1 if the commit may write rows. */
static int
writes_rows(const char *action)
{
	return strcmp(action, "import") == 0 || strcmp(action, "load") == 0;
}

/* Returns 1 if the commit may write agents and the CA certificate. */
static int
sets_up(const char *action)
{
	return strcmp(action, "init") == 0 || strcmp(action, "kra") == 0;
}

/* Returns the tables that a commit with this action writes to. */
static const char *
tables(const char *action)
{
	if (strcmp(action, "import") == 0)
		return "request, certificate, name, fault and cure";
	if (writes_rows(action))
		return "request and certificate";
	if (strcmp(action, "name") == 0)
		return "name only";
	if (strcmp(action, "rekey") == 0)
		return "keyversion only";
	if (sets_up(action))
		return "kra and config";
	return strcmp(action, "flag") == 0 ? "config only" : "audit only";
}

/* Returns the number behind NAME= in a detail, or 0. */
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

/* Returns 1 if the commit wrote what its action may, and as much as it says. */
static int
plausible(const struct commit_wrote *cw, const char *action, const char *detail)
{
	int import = strcmp(action, "import") == 0;
	unsigned long long rows = 0, names = 0, versions = 0, agents = 0;

	if (writes_rows(action))
		rows = counted(detail, "results");
	if (import)
		names = rows;
	if (strcmp(action, "name") == 0)
		names = counted(detail, "names");
	if (strcmp(action, "rekey") == 0)
		versions = counted(detail, "results");
	if (sets_up(action))
		agents = counted(detail, "kras");
	return cw->certs <= rows && cw->keys <= rows && cw->names <= names &&
	    cw->faults <= rows && (cw->cures == 0 || import) &&
	    cw->versions <= versions && cw->agents == agents &&
	    (cw->ca == 0 || sets_up(action));
}

/* What a check has found so far. */
struct check {
	struct store *db;
	const char *head; /* that must be in the chain, or NULL */
	int found_head;
	enum commit_look look; /* as the last commit was hashed */
	unsigned long long dropped; /* versions of keys, as the commits say */
	char before[65]; /* Hash of the audit row before */
	unsigned n; /* findings */
	store_audit_found *tell;
	void *ctx;
};

/* Reports a finding.  Returns 1: the check goes on. */
static int __attribute__((format(printf, 2, 3)))
found(struct check *c, const char *fmt, ...)
{
	char detail[400];
	struct reason w;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	reason_set(&w, "audit", "%s", detail);
	if (c->n++ < AUDIT_FINDINGS_MAX)
		c->tell(c->ctx, &w);
	return 1;
}

/* Writes the rows with the number of a commit: " (rows 3 to 25)", or "". */
static int
rows_of(struct store *db, int64_t id, char dst[64], struct reason *w)
{
	struct sql_st *st = sql_ready(db, WROTE_ROWS, w);
	int64_t first, last;

	if (st == NULL)
		return 0;
	sql_bind_i(st, 1, id);
	if (!sql_one(st, w))
		return 0;
	first = sql_int(st, 0);
	last = sql_int(st, 1);
	sql_reset(st);
	dst[0] = '\0';
	if (first == last && first != 0)
		(void)snprintf(dst, 64, ", row %lld", (long long)first);
	else if (first != 0)
		(void)snprintf(dst, 64, ", rows %lld to %lld", (long long)first,
		    (long long)last);
	return 1;
}

/*
 * Looks at what the commit wrote, in the way that fits its digest: usually that
 * of the commit before.  Returns 1, or 0 with *w.
 */
static int
look(struct check *c, int64_t id, const char *digest, struct commit_wrote *cw,
    struct reason *w)
{
	enum commit_look other;

	if (!commit_wrote(c->db, c->look, id, cw, w))
		return 0;
	if (cw->keys == 0 || strcmp(cw->digest, digest) == 0)
		return 1;
	other = c->look == COMMIT_OLD ? COMMIT_DONE : COMMIT_OLD;
	if (!commit_wrote(c->db, other, id, cw, w))
		return 0;
	if (strcmp(cw->digest, digest) == 0)
		c->look = other;
	return 1;
}

/*
 * Checks a row of COMMIT_PAGE: its columns, its place in the chain, the digest
 * of what it wrote.  Returns 1, or 0 with *w if it cannot be read.
 */
static int
check_commit(struct check *c, const struct sql_st *st, struct reason *w)
{
	char hash[65], id[24], rows[64];
	const char *field[7] = { id };
	struct commit_wrote cw;
	struct sql_value v;
	int i;

	(void)snprintf(id, sizeof(id), "%lld", (long long)sql_int(st, 0));
	for (i = 0; i < 7; i++) {
		sql_column(st, i, &v);
		if (v.type != (i == 0 ? SQL_INT : SQL_TEXT))
			return found(c,
			    "audit row with a column of another type: " GO_BACK);
		if (i > 0)
			field[i] = v.p;
		/* a NUL would hide what follows it */
		if (i > 0 && strlen(field[i]) != v.n)
			return found(c,
			    "audit row with a column that is empty or holds "
			    "a NUL: " GO_BACK);
	}
	if (!commit_chain(c->before, field, hash) ||
	    strcmp(hash, field[6]) != 0)
		found(c,
		    "audit row %s does not follow from the one "
		    "before it: rows were edited, deleted or moved: " GO_BACK,
		    field[0]);
	if (!look(c, sql_int(st, 0), field[5], &cw, w) ||
	    !rows_of(c->db, sql_int(st, 0), rows, w))
		return 0;
	if (strcmp(cw.digest, field[5]) != 0)
		found(c,
		    "what audit row %s recorded was changed since: rows were "
		    "edited, added or deleted (%s of %.64s, %s, wrote to %s%s): " GO_BACK,
		    id, field[3], field[2], field[1], tables(field[3]), rows);
	else if (!plausible(&cw, field[3], field[4]))
		found(c,
		    "audit row %s vouches for what was planted before it: %s "
		    "of %.64s, %s, writes to %s, and not more than it counts: " GO_BACK,
		    id, field[3], field[2], field[1], tables(field[3]));
	if (strcmp(field[3], "rekey") == 0)
		c->dropped += counted(field[4], "dropped");
	(void)snprintf(c->before, sizeof(c->before), "%s", field[6]);
	return 1;
}

/*
 * Has SQLite look for damage: a row that is in its table but not in an index is
 * seen only by some statements.  Returns 1, or 0 with *w if it cannot be read.
 */
static int
integrity(struct check *c, struct reason *w)
{
	struct sql_st *st = sql_ready(c->db, INTEGRITY, w);
	const char *said;
	int rc;

	if (st == NULL || (rc = sql_step(st, w)) == -1)
		return 0;
	said = rc == 1 ? sql_str(st, 0) : "nothing is known";
	if (strcmp(said, "ok") != 0)
		found(c, "the file is damaged: %.200s: " GO_BACK, said);
	sql_reset(st);
	return 1;
}

/*
 * Reports what a statement finds, between two texts.  Returns 1, or 0 with *w
 * if it cannot be read.
 */
static int
finds(struct check *c, enum sql n, const char *before, const char *behind,
    struct reason *w)
{
	struct sql_st *st = sql_ready(c->db, n, w);
	int rc;

	if (st == NULL)
		return 0;
	while ((rc = sql_step(st, w)) == 1)
		found(c, "%s%.100s%s", before, sql_str(st, 0), behind);
	return rc == 0;
}

/* Compares dropped versions with the commits.  Returns 1, or 0 with *w. */
static int
check_dropped(struct check *c, struct reason *w)
{
	struct sql_st *st = sql_ready(c->db, OLD_DROPPED, w);
	unsigned long long n;

	if (st == NULL || !sql_one(st, w))
		return 0;
	n = (unsigned long long)sql_int(st, 0);
	sql_reset(st);
	return n == c->dropped ||
	    found(c,
		"%llu versions of keys are gone, and the commits say that "
		"%llu were dropped: " GO_BACK,
		n, c->dropped);
}

/* Checks the chain, page by page.  Returns 1, or 0 with *w. */
static int
check_commits(struct check *c, char last[AUDIT_HEAD_MAX], struct reason *w)
{
	struct sql_st *st;
	int64_t id = INT64_MIN;
	int rc, rows;

	do {
		if ((st = sql_ready(c->db, COMMIT_PAGE, w)) == NULL)
			return 0;
		sql_bind_i(st, 1, id);
		for (rows = 0; (rc = sql_step(st, w)) == 1; rows++) {
			id = sql_int(st, 0);
			if (!check_commit(c, st, w)) {
				sql_reset(st);
				return 0;
			}
			(void)snprintf(last, AUDIT_HEAD_MAX, "%lld:%s",
			    (long long)id, c->before);
			c->found_head |= c->head != NULL &&
			    strcmp(c->head, last) == 0;
		}
	} while (rc == 0 && rows > 0 && id++ < INT64_MAX);
	return rc == 0;
}

int
store_audit(struct store *db, const char *head, char last[AUDIT_HEAD_MAX],
    store_audit_found *tell, void *ctx, struct reason *w)
{
	struct check c = { .db = db,
		.head = head,
		.look = COMMIT_DONE,
		.tell = tell,
		.ctx = ctx };
	int rc;

	last[0] = '\0';
	/* of one moment, so that nobody who writes has to wait */
	if (!db->writing && !store_hold(db, w))
		return -1;
	if ((rc = schema_same(db, w)) == -1)
		return -1;
	if (rc == 0) {
		/* nothing that such an archive shows can be believed */
		found(&c,
		    "the schema is not that of ca-db(5): a table, index, view "
		    "or trigger was added, dropped or changed: " GO_BACK);
		return 0;
	}
	if (!integrity(&c, w) || !check_commits(&c, last, w) ||
	    !check_dropped(&c, w) ||
	    !finds(&c, ORPHANS, "",
		" is not as the audited commits left it: " GO_BACK, w) ||
	    !finds(&c, STRANGERS, "the key of row ",
		" was encrypted to an agent that is not in the archive: find "
		"out whose SHA-1 is in kra of ca-export -n",
		w))
		return c.n == 0 ?
		    -1 :
		    !found(&c, "the rest cannot be checked: %.300s", w->detail);
	if (head != NULL && !c.found_head)
		found(&c,
		    "the head %s is not in the chain: it was cut or written "
		    "anew: " GO_BACK,
		    head);
	return c.n == 0;
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

/* Gives the statement's next audit row behind `after'. */
static int
next(struct store *db, enum sql which, int64_t after, struct store_commit *e,
    struct reason *w)
{
	struct sql_st *st;
	int rc = sql_ask(db, which, after, &st, w);

	if (rc != 1)
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
