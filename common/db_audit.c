#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "db_sql.h"

#define GO_BACK "compare with the results of ca-import, or go back to a copy"

/* Digests --------------------------------------------------------------- */

/* Adds every column of the row at hand: type, length, bytes. */
static void
hash_row(EVP_MD_CTX *md, sqlite3_stmt *st)
{
	char head[32];
	const void *p;
	int i, n, type;

	for (i = 0; i < sqlite3_column_count(st); i++) {
		/* not known any more once the value was converted */
		type = sqlite3_column_type(st, i);
		p = type == SQLITE_BLOB ?
		    sqlite3_column_blob(st, i) :
		    (const void *)sqlite3_column_text(st, i);
		n = sqlite3_column_bytes(st, i);
		(void)snprintf(head, sizeof(head), "%d:%d:", type, n);
		(void)EVP_DigestUpdate(md, head, strlen(head));
		(void)EVP_DigestUpdate(md, p, (size_t)n);
	}
}

/* The digest of all that the commit with this number wrote. */
static int
digest(struct db *db, int64_t audit, char hex[65], struct why *w)
{
	static const enum sql parts[] = { CERT_OF, KEY_OF, KRA_OF, CA_OF };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	sqlite3_stmt *st;
	uint8_t sum[32];
	size_t i;
	int step, rc = 0;

	why_set(w, "database", "cannot hash what is written");
	if (md == NULL || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		goto out;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((st = sql_ready(db, parts[i], w)) == NULL)
			goto out;
		(void)sqlite3_bind_int64(st, 1, audit);
		while ((step = sqlite3_step(st)) == SQLITE_ROW)
			hash_row(md, st);
		(void)sqlite3_reset(st);
		if (step != SQLITE_DONE) {
			sql_fail(db, w, "cannot read");
			goto out;
		}
	}
	rc = EVP_DigestFinal_ex(md, sum, NULL);
	if (rc)
		rec_hex(hex, sum, sizeof(sum));
out:
	EVP_MD_CTX_free(md);
	return rc;
}

/* SHA-256 over the hash before and the fields, each with its length. */
static int
chain(const char *before, const char *const field[6], char hex[65])
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
	rec_hex(hex, sum, sizeof(sum));
	return rc;
}

/* Transactions ---------------------------------------------------------- */

/* The audit row that comes next, and the hash of the last. */
static int
next_audit(struct db *db, sqlite3_stmt *st, struct why *w)
{
	int64_t last = 0;
	int rc = sqlite3_step(st);

	db->last[0] = '\0';
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_fail(db, w, "cannot read");
	if (rc == SQLITE_ROW) {
		last = sqlite3_column_int64(st, 0);
		if (last < 1 || last == INT64_MAX)
			return why_set(w, "database",
			    "%s: no audit row can follow row %lld " DB_ALTERED,
			    db->name, (long long)last);
		(void)snprintf(db->last, sizeof(db->last), "%s",
		    (const char *)sqlite3_column_text(st, 1));
	}
	db->audit = last + 1;
	return 1;
}

int
db_begin(struct db *db, struct why *w)
{
	sqlite3_stmt *st;
	int rc;

	if (!sql_run_plain(db, BEGIN, w) ||
	    (st = sql_ready(db, AUDIT_LAST, w)) == NULL)
		return 0;
	rc = next_audit(db, st, w);
	(void)sqlite3_reset(st);
	return rc;
}

int
db_hold(struct db *db, struct why *w)
{
	sqlite3_stmt *st = sql_ready(db, HOLD, w);

	/* a statement with rows to come keeps its view of the file */
	return st != NULL &&
	    (sqlite3_step(st) == SQLITE_ROW || sql_fail(db, w, "cannot read"));
}

/*
 * Rows of a file that was moved away from its log are not safe.  Returns 1, or
 * 0 with *w.
 */
static int
in_place(struct db *db, struct why *w)
{
	int moved = 1;

	(void)sqlite3_file_control(db->h, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved);
	return !moved ||
	    why_set(w, "database",
		"%s: was moved or replaced while in use: put it back, with "
		"what lies beside it, and run again",
		db->name);
}

int
db_commit(struct db *db, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct why *w)
{
	char id[24], when[24], sum[65], hash[65];
	const char *const field[6] = { id, when, caller, action, detail, sum };
	sqlite3_stmt *st;
	int i;

	(void)snprintf(id, sizeof(id), "%lld", (long long)db->audit);
	(void)sql_now(when);
	if (!digest(db, db->audit, sum, w))
		return 0;
	if (!chain(db->last, field, hash))
		return why_set(w, "database", "cannot hash the audit row");
	if ((st = sql_ready(db, AUDIT_ADD, w)) == NULL)
		return 0;
	(void)sqlite3_bind_int64(st, 1, db->audit);
	for (i = 1; i < 6; i++)
		sql_bind_s(st, i + 1, field[i]);
	sql_bind_s(st, 7, hash);
	if (!sql_put(db, st, w) || !in_place(db, w) ||
	    !sql_run_plain(db, COMMIT, w) || !in_place(db, w))
		return 0;
	(void)snprintf(head, AUDIT_HEAD_MAX, "%s:%s", id, hash);
	return 1;
}

void
db_rollback(struct db *db)
{
	struct why w;

	if (sqlite3_get_autocommit(db->h) == 0)
		(void)sql_run_plain(db, ROLLBACK, &w);
}

/* Checking -------------------------------------------------------------- */

/* The tables that a commit of this action writes to. */
static const char *
tables(const char *action)
{
	if (strcmp(action, "import") == 0)
		return "request and certificate";
	if (strcmp(action, "init") == 0 || strcmp(action, "kra") == 0)
		return "kra and config";
	return strcmp(action, "flag") == 0 ? "config only" : "audit only";
}

/* The row of AUDIT_ALL at hand: chain, digest of its rows. */
static int
audit_row(struct db *db, sqlite3_stmt *st, char before[65], struct why *w)
{
	const char *field[7];
	char hash[65], sum[65];
	int i;

	for (i = 0; i < 7; i++) {
		if (sqlite3_column_type(st, i) !=
		    (i == 0 ? SQLITE_INTEGER : SQLITE_TEXT))
			return why_set(w, "audit",
			    "audit row with a column of another type: " GO_BACK);
		field[i] = (const char *)sqlite3_column_text(st, i);
		/* a NUL would hide what follows it */
		if (field[i] == NULL ||
		    strlen(field[i]) != (size_t)sqlite3_column_bytes(st, i))
			return why_set(w, "audit",
			    "audit row with a column that is empty or holds "
			    "a NUL: " GO_BACK);
	}
	if (!chain(before, field, hash) || strcmp(hash, field[6]) != 0)
		return why_set(w, "audit",
		    "audit row %s does not follow from the one "
		    "before it: rows were edited, deleted or moved: " GO_BACK,
		    field[0]);
	if (!digest(db, sqlite3_column_int64(st, 0), sum, w))
		return -1;
	if (strcmp(sum, field[5]) != 0)
		return why_set(w, "audit",
		    "what audit row %s recorded was changed since: rows were "
		    "edited, added or deleted (%s of %s, %s, wrote to %s): " GO_BACK,
		    field[0], field[3], field[2], field[1], tables(field[3]));
	memcpy(before, hash, sizeof(hash));
	return 1;
}

/* The digest of the schema.  Returns 1, or 0 with *w. */
static int
schema_digest(struct db *db, uint8_t sum[32], struct why *w)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	sqlite3_stmt *st = sql_ready(db, SCHEMA, w);
	int rc;

	rc = st != NULL && md != NULL &&
	    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	while (rc && sqlite3_step(st) == SQLITE_ROW)
		hash_row(md, st);
	rc = rc &&
	    (sqlite3_reset(st) == SQLITE_OK || sql_fail(db, w, "cannot read"));
	rc = rc && EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	return rc;
}

int
sql_schema_same(struct db *db, struct why *w)
{
	uint8_t is[32], ought[32];
	struct db fresh;
	int rc;

	memset(&fresh, 0, sizeof(fresh));
	fresh.name = db->name;
	rc = sqlite3_open(":memory:", &fresh.h) == SQLITE_OK &&
	    sqlite3_exec(fresh.h, sql_schema, NULL, NULL, NULL) == SQLITE_OK;
	if (!rc)
		sql_fail(&fresh, w, "cannot make a schema to compare with");
	rc = rc && schema_digest(&fresh, ought, w) && schema_digest(db, is, w);
	(void)sqlite3_finalize(fresh.st[SCHEMA]);
	(void)sqlite3_close(fresh.h);
	if (!rc)
		return -1;
	return memcmp(is, ought, sizeof(is)) == 0 ||
	    why_set(w, "audit",
		"the schema is not that of ca-db(5): a table, index, view or "
		"trigger was added, dropped or changed: " GO_BACK);
}

/*
 * Has SQLite look for damage: a row that is in its table, but not in an index,
 * is seen by some statements only.  Returns 1, 0 with *w if there is any, -1
 * with *w if it cannot be read.
 */
static int
integrity(struct db *db, struct why *w)
{
	sqlite3_stmt *st = sql_ready(db, INTEGRITY, w);
	const char *said;
	int rc = -1;

	if (st == NULL)
		return -1;
	if (sqlite3_step(st) != SQLITE_ROW ||
	    (said = (const char *)sqlite3_column_text(st, 0)) == NULL)
		sql_fail(db, w, "cannot read");
	else
		rc = strcmp(said, "ok") == 0 ||
		    why_set(w, "audit", "the file is damaged: %s: " GO_BACK,
			said);
	(void)sqlite3_reset(st);
	return rc;
}

/*
 * A statement that gives what is wrong, and what to say before and behind it.
 * Returns 1, 0 with *w if it gives a row, -1 with *w if it cannot be read.
 */
static int
finds(struct db *db, enum sql n, const char *before, const char *behind,
    struct why *w)
{
	sqlite3_stmt *st = sql_ready(db, n, w);
	int step = st == NULL ? SQLITE_ERROR : sqlite3_step(st), rc = 1;

	if (st == NULL)
		return -1;
	if (step == SQLITE_ROW)
		rc = why_set(w, "audit", "%s%s%s", before,
		    (const char *)sqlite3_column_text(st, 0), behind);
	else if (step != SQLITE_DONE)
		rc = -1 + sql_fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	return rc;
}

int
db_audit(struct db *db, const char *head, char last[AUDIT_HEAD_MAX],
    struct why *w)
{
	char before[65] = "";
	sqlite3_stmt *st;
	int found = 0, rc, ok;

	last[0] = '\0';
	if ((rc = sql_schema_same(db, w)) != 1 || (rc = integrity(db, w)) != 1)
		return rc;
	if ((st = sql_ready(db, AUDIT_ALL, w)) == NULL)
		return -1;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if ((ok = audit_row(db, st, before, w)) != 1) {
			(void)sqlite3_reset(st);
			return ok;
		}
		(void)snprintf(last, AUDIT_HEAD_MAX, "%s:%s",
		    (const char *)sqlite3_column_text(st, 0), before);
		found |= head != NULL && strcmp(head, last) == 0;
	}
	if (rc != SQLITE_DONE)
		sql_fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	if (rc != SQLITE_DONE)
		return -1;
	if ((ok = finds(db, ORPHANS, "",
		 " is not as the audited commits left it: " GO_BACK, w)) != 1 ||
	    (ok = finds(db, STRANGERS, "the key of row ",
		 " was encrypted to an agent that is not in the archive: find "
		 "out whose SHA-1 is in kra of ca-export -n",
		 w)) != 1)
		return ok;
	return head == NULL || found ||
	    why_set(w, "audit",
		"the head %s is not in the chain: it was cut or written anew: " GO_BACK,
		head);
}

int
db_head(const char *s, char head[AUDIT_HEAD_MAX])
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

int
db_since(struct db *db, int64_t after, struct db_event *e, struct why *w)
{
	sqlite3_stmt *st = sql_ready(db, AUDIT_SINCE, w);
	int rc;

	if (st == NULL)
		return -1;
	(void)sqlite3_bind_int64(st, 1, after);
	if ((rc = sqlite3_step(st)) != SQLITE_ROW) {
		if (rc != SQLITE_DONE)
			sql_fail(db, w, "cannot read");
		return rc == SQLITE_DONE ? 0 : -1;
	}
	e->id = sqlite3_column_int64(st, 0);
	e->when = (const char *)sqlite3_column_text(st, 1);
	e->caller = (const char *)sqlite3_column_text(st, 2);
	e->action = (const char *)sqlite3_column_text(st, 3);
	e->detail = (const char *)sqlite3_column_text(st, 4);
	return 1;
}
