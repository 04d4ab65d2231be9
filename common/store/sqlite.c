#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/schema.h"
#include "store/sqlite_file.h"

/* The archive as an SQLite file. */

#define APPLICATION_ID 0x6b326361 /* "k2ca" */
#define BUSY_MS	       120000

/*
 * Limits on a hostile archive: the bytes of a value, or of a row, and the
 * steps, in millions, of a statement that is no scan.
 */
#define STORE_VALUE_MAX 1048576
#define STORE_STEPS_MAX 100

struct sqlite {
	struct store db;
	struct sqlite_file file;
	sqlite3 *h;
	int steps; /* millions, of the statement at hand; -1: any number */
	struct sql_st st[NSQL]; /* own: the sqlite3_stmt, or NULL */
};

/* The first settings of every connection; NULL at the end. */
static const char *const settings[] = {
	"pragma temp_store=memory",
	"pragma trusted_schema=off",
	"pragma foreign_keys=on",
	"pragma synchronous=full",
	"pragma secure_delete=on", /* of what is dropped nothing stays */
	"pragma cache_size=-8000", /* KiB: what a commit writes, and more */
	NULL,
};

static struct sqlite *
lite(const struct store *db)
{
	return db->own;
}

/*
 * Returns the errno of the last read or write of the file, or of its log, that
 * failed, or 0.  SQLite takes an unreadable disk for a damaged file, and then
 * sqlite3_system_errno() has nothing.
 */
static int
disk_errno(sqlite3 *h)
{
	sqlite3_file *log = NULL;
	int err = 0;

	(void)sqlite3_file_control(h, "main", SQLITE_FCNTL_LAST_ERRNO, &err);
	(void)sqlite3_file_control(h, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &log);
	if (err == 0 && log != NULL && log->pMethods != NULL)
		(void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO,
		    &err);
	return err;
}

/* Sets *w to what, SQLite's reason, and what to do about it.  Returns 0. */
static int
fail(struct store *db, struct reason *w, const char *what)
{
	const char *hint = "";
	sqlite3 *h = lite(db)->h;
	int rc = sqlite3_errcode(h);

	if (rc == SQLITE_NOMEM)
		return reason_set(w, "database", "%s: %s: out of memory",
		    db->name, what);
	if (rc == SQLITE_CORRUPT && disk_errno(h) == EIO)
		return reason_set(w, "database",
		    "%s: %s: %s (look at the disk, and run again)", db->name,
		    what, strerror(EIO));
	switch (rc) {
	case SQLITE_BUSY:
		hint = " (another process holds it: try again)";
		break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		hint = " (make the file and its directory writable)";
		break;
	case SQLITE_FULL:
		hint = " (make room on the disk and run again)";
		break;
	case SQLITE_IOERR:
		hint = " (look at the disk and at ulimit -f, and run again)";
		break;
	case SQLITE_ERROR:
	case SQLITE_INTERRUPT:
	case SQLITE_TOOBIG:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		hint = " " STORE_ALTERED;
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		hint = " (restore it from a backup)";
		break;
	default:
		break;
	}
	return reason_set(w, "database", "%s: %s: %s%s", db->name, what,
	    sqlite3_errmsg(lite(db)->h), hint);
}

/* Statements ------------------------------------------------------------ */

/* Decides after each million steps if the statement may go on.  0: it may. */
static int
spend(void *arg)
{
	struct sqlite *l = arg;

	return l->steps >= 0 && ++l->steps > STORE_STEPS_MAX;
}

/* Steps once, with a ceiling unless it reads every row. */
static int
step_once(const struct sql_st *st)
{
	enum sql n = st->n;
	int scan = n == COUNT || n == NAMES || n == LIST || n == SELECT ||
	    n == SELECT_FIRST || n == FAULT_CURE || n == OLD_DROPPED ||
	    n == ORPHANS || n == STRANGERS || n == INTEGRITY;

	lite(st->db)->steps = scan ? -1 : 0;
	return sqlite3_step(st->own);
}

static struct sql_st *
ready(struct store *db, enum sql n, struct reason *w)
{
	struct sql_st *st = &lite(db)->st[n];
	sqlite3_stmt *h = st->own;

	if (h == NULL &&
	    sqlite3_prepare_v3(lite(db)->h, sqlite_sql[n], -1,
		SQLITE_PREPARE_PERSISTENT, &h, NULL) != SQLITE_OK) {
		fail(db, w, "cannot prepare a statement");
		return NULL;
	}
	(void)sqlite3_reset(h);
	(void)sqlite3_clear_bindings(h);
	st->own = h;
	st->db = db;
	st->n = n;
	return st;
}

static void
bind_int(struct sql_st *st, int i, int64_t v)
{
	(void)sqlite3_bind_int64(st->own, i, v);
}

static void
bind_text(struct sql_st *st, int i, const char *s, size_t n)
{
	(void)sqlite3_bind_text(st->own, i, s, (int)n, SQLITE_STATIC);
}

static void
bind_blob(struct sql_st *st, int i, const void *p, size_t n)
{
	(void)sqlite3_bind_blob(st->own, i, p, (int)n, SQLITE_STATIC);
}

static void
reset(struct sql_st *st)
{
	(void)sqlite3_reset(st->own);
}

static int
step(struct sql_st *st, struct reason *w)
{
	int rc = step_once(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		fail(st->db, w, "cannot read");
	reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
run(struct sql_st *st, struct reason *w)
{
	int rc = step_once(st);

	if (rc != SQLITE_DONE)
		fail(st->db, w, "cannot write");
	reset(st);
	return rc == SQLITE_DONE ? sqlite3_changes(lite(st->db)->h) : -1;
}

static int
put(struct sql_st *st, struct reason *w)
{
	int n = run(st, w);

	return n == 1 || (n != -1 && sql_not_put(st->db, w));
}

/* Runs a statement that has nothing to bind.  Returns 1, or 0 with *w. */
static int
run_plain(struct store *db, enum sql n, struct reason *w)
{
	struct sql_st *st = ready(db, n, w);

	return st != NULL && run(st, w) != -1;
}

static int
columns(const struct sql_st *st)
{
	return sqlite3_column_count(st->own);
}

static void
column(const struct sql_st *st, int i, struct sql_value *v)
{
	/* good until the next step, as there is one thread */
	sqlite3_value *is = sqlite3_column_value(st->own, i);
	int type = sqlite3_value_type(is);

	v->type = type == SQLITE_INTEGER ? SQL_INT :
	    type == SQLITE_FLOAT	 ? SQL_REAL :
	    type == SQLITE_TEXT		 ? SQL_TEXT :
	    type == SQLITE_BLOB		 ? SQL_BLOB :
					   SQL_NULL;
	v->i = 0;
	v->p = "";
	v->n = 0;
	if (type == SQLITE_INTEGER)
		v->i = sqlite3_value_int64(is);
	else if (type != SQLITE_NULL) {
		v->p = type == SQLITE_BLOB ?
		    sqlite3_value_blob(is) :
		    (const void *)sqlite3_value_text(is);
		v->n = (size_t)sqlite3_value_bytes(is);
	}
	if (v->p == NULL) { /* or out of memory, as the next step will tell */
		v->p = "";
		v->n = 0;
	}
}

/* Transactions ---------------------------------------------------------- */

static int
hold(struct store *db, struct reason *w)
{
	struct sql_st *st = ready(db, HOLD, w);

	return st != NULL &&
	    (sqlite3_step(st->own) == SQLITE_ROW || fail(db, w, "cannot read"));
}

/*
 * Checks that the file was not moved away from its log: its rows would not be
 * safe.  Returns 1, or 0 with *w.
 */
static int
in_place(struct store *db, struct reason *w)
{
	int moved = 1;

	(void)sqlite3_file_control(lite(db)->h, "main", SQLITE_FCNTL_HAS_MOVED,
	    &moved);
	return (!moved && sqlite_file_same_log(&lite(db)->file)) ||
	    reason_set(w, "database",
		"%s: was moved or replaced while in use: put it back, with "
		"what lies beside it, and run again",
		db->name);
}

static int
begin(struct store *db, struct reason *w)
{
	return run_plain(db, BEGIN, w) && in_place(db, w);
}

static int
commit(struct store *db, struct reason *w)
{
	return in_place(db, w) && run_plain(db, COMMIT, w) && in_place(db, w);
}

static void
rollback(struct store *db)
{
	struct reason w;

	if (sqlite3_get_autocommit(lite(db)->h) == 0)
		(void)run_plain(db, ROLLBACK, &w);
}

/* The schema ------------------------------------------------------------ */

/* Gives the digest of a new archive, without what an older version lacked. */
static int
schema(struct store *db, uint8_t sum[32], struct reason *w)
{
	static const char *const less[STORE_VERSION] = {
		"", /* what version 1 had not, and so on */
		"drop index certificate_SerialNumber",
		"drop trigger audit_insert",
		("drop table name; drop table cure;"
		 "drop table fault; drop table keyversion"),
	};
	int i = db->version;
	struct sqlite new;
	int rc;

	memset(&new, 0, sizeof(new));
	new.db = *db;
	new.db.own = &new;
	rc = sqlite3_open(":memory:", &new.h) == SQLITE_OK &&
	    sqlite3_exec(new.h, sqlite_sql[SCHEMA], NULL, NULL, NULL) ==
		SQLITE_OK;
	for (; rc && i < STORE_VERSION; i++)
		rc = sqlite3_exec(new.h, less[i], NULL, NULL, NULL) ==
		    SQLITE_OK;
	if (!rc)
		fail(&new.db, w, "cannot make a schema to compare with");
	rc = rc && schema_digest(&new.db, "", sum, w);
	(void)sqlite3_finalize(new.st[SCHEMA_IS].own);
	(void)sqlite3_close(new.h);
	return rc;
}

/* Opening --------------------------------------------------------------- */

/* Runs a pragma; its answer, if any, goes to text. */
static int
pragma_text(struct store *db, const char *s, char *text, size_t n,
    struct reason *w)
{
	sqlite3_stmt *st = NULL;
	int rc;

	text[0] = '\0';
	if (sqlite3_prepare_v2(lite(db)->h, s, -1, &st, NULL) != SQLITE_OK)
		return fail(db, w, "cannot open");
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		(void)snprintf(text, n, "%s",
		    (const char *)sqlite3_column_text(st, 0));
	else if (rc != SQLITE_DONE)
		fail(db, w, "cannot open");
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* Runs a pragma with a number as answer, for *v, or with one to ignore. */
static int
pragma(struct store *db, const char *s, int *v, struct reason *w)
{
	char text[24];

	if (!pragma_text(db, s, text, sizeof(text), w))
		return 0;
	if (v != NULL)
		*v = atoi(text);
	return 1;
}

/* Sets up a log, which a backup by VACUUM INTO lacks: readers block nobody. */
static int
use_wal(struct store *db, struct reason *w)
{
	char mode[16];

	if (!pragma_text(db, "pragma journal_mode=wal", mode, sizeof(mode), w))
		return 0;
	return strcmp(mode, "wal") == 0 ||
	    reason_set(w, "database",
		"%s: cannot be put into WAL mode, stays in mode %s: put it on "
		"a local disk, and run again when no other process holds it",
		db->name, mode);
}

/* Makes the tables of a new archive. */
static int
create(struct store *db, struct reason *w)
{
	char text[64], version[64];

	(void)snprintf(text, sizeof(text), "pragma application_id=%d",
	    APPLICATION_ID);
	(void)snprintf(version, sizeof(version), "pragma user_version=%d",
	    STORE_VERSION);
	/* a page of 4096 bytes would hold one key, and be half empty */
	if (!pragma(db, "pragma page_size=16384", NULL, w) ||
	    !pragma(db, text, NULL, w) || !pragma(db, version, NULL, w) ||
	    !use_wal(db, w))
		return 0;
	if (sqlite3_exec(lite(db)->h, sqlite_sql[SCHEMA], NULL, NULL, NULL) !=
	    SQLITE_OK)
		return fail(db, w, "cannot create the tables");
	return 1;
}

/* Sets the connection up, and checks that it is an archive of our version. */
static int
set_up(struct store *db, enum store_mode mode, struct reason *w)
{
	size_t i;
	int v = 0;

	(void)sqlite3_busy_timeout(lite(db)->h, BUSY_MS);
	(void)sqlite3_db_config(lite(db)->h, SQLITE_DBCONFIG_DEFENSIVE, 1,
	    NULL);
	(void)sqlite3_limit(lite(db)->h, SQLITE_LIMIT_LENGTH, STORE_VALUE_MAX);
	sqlite3_progress_handler(lite(db)->h, 1000000, spend, lite(db));
	if (db->fresh && !create(db, w))
		return 0;
	for (i = 0; settings[i] != NULL; i++)
		if (!pragma(db, settings[i], NULL, w))
			return 0;
	if (!pragma(db, "pragma application_id", &v, w))
		return 0;
	if (v != APPLICATION_ID)
		return reason_set(w, "database",
		    "%s: a database, but not an archive of kms2ca", db->name);
	if (!pragma(db, "pragma user_version", &db->version, w))
		return 0;
	if (db->version != STORE_VERSION &&
	    (mode != STORE_DUMP || db->version < 1 ||
		db->version > STORE_VERSION))
		return sql_version(db, db->version, w);
	return schema_usable(db, mode, w) &&
	    (mode < STORE_WRITE || use_wal(db, w));
}

static int
open_file(struct store *db, enum store_mode mode, struct reason *w)
{
	struct sqlite *l = lite(db);
	int flags = SQLITE_OPEN_READWRITE, rc;
	char *uri = NULL;

	if (!sqlite_file_check(&l->file, mode, w))
		return 0;
	db->fresh = l->file.fresh;
	if (mode < STORE_WRITE && !sqlite_file_reader(&l->file, &uri))
		flags = SQLITE_OPEN_READONLY;
	rc = sqlite3_open_v2(uri != NULL ? uri : l->file.path, &l->h,
	    flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW, NULL);
	free(uri);
	if (rc != SQLITE_OK)
		return fail(db, w, "cannot open");
	return set_up(db, mode, w);
}

static void
disconnect(struct sqlite *l)
{
	int i;

	for (i = 0; i < NSQL; i++) {
		(void)sqlite3_finalize(l->st[i].own);
		l->st[i].own = NULL;
	}
	(void)sqlite3_close(l->h);
	l->h = NULL;
}

static int
publish(struct store *db, struct reason *w)
{
	int busy = 0;

	/* closing does this too, but says nothing when it fails */
	if (!pragma(db, "pragma wal_checkpoint(truncate)", &busy, w))
		return 0;
	if (busy)
		return reason_set(w, "database",
		    "%s: another process holds it: run again",
		    lite(db)->file.path);
	disconnect(lite(db));
	return sqlite_file_publish(&lite(db)->file, w);
}

static void
close_file(struct store *db)
{
	disconnect(lite(db));
	sqlite_file_free(&lite(db)->file);
	free(db);
}

static const struct sql_driver driver = { 0, open_file, publish, close_file,
	begin, hold, commit, rollback, ready, bind_int, bind_text, bind_blob,
	step, run, put, columns, column, reset, schema };

struct store *
sqlite_new(const char *path, struct reason *w)
{
	struct sqlite *l = calloc(1, sizeof(*l));
	char byte;

	if (l == NULL) {
		reason_set(w, "database", "out of memory");
		return NULL;
	}
	l->db.driver = &driver;
	l->db.own = l;
	if (!sqlite_file_locate(&l->file, path, w)) {
		close_file(&l->db);
		return NULL;
	}
	l->db.name = l->file.name;
	/* no locks and no statistics: nobody else uses SQLite */
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	l->db.dir = l->file.dir;
	sqlite3_randomness(sizeof(byte), &byte); /* opens /dev/urandom */
	return &l->db;
}
