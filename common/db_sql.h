#ifndef DB_SQL_H
#define DB_SQL_H

#include <openssl/x509.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"
#include "rec.h"
#include "why.h"

/*
 * SQLite for the db_ modules only: the schema, every statement there is, and
 * how they are run.  Values are only bound.
 */

#define SQL_APPLICATION_ID 0x6b326361 /* "k2ca" */
#define SQL_USER_VERSION   2

/* clang-format off */
enum sql {
	BEGIN, COMMIT, HOLD, ROLLBACK, CONFIG_SET, CONFIG_GET, KRA_ADD, KRA_ALL,
	FIND, FIND_SERIAL, PUT_REQUEST, PUT_CERT, PUT_KEY, TOKEN_ADD, SELECT,
	AUDIT_ADD, AUDIT_LAST, AUDIT_ALL, CERT_OF, KEY_OF, KRA_OF, CA_OF,
	AUDIT_SINCE, ORPHANS, STRANGERS, SCHEMA, INTEGRITY, NSQL
};
/* clang-format on */

struct db {
	sqlite3 *h;
	sqlite3_stmt *st[NSQL];
	char *name; /* of the archive, as the user knows it */
	char *path, *dir; /* where it is now */
	int fresh; /* made by this process, and not published yet */
	int64_t audit; /* AuditID of the open transaction */
	char last[65]; /* Hash of the audit row before it */
};

extern const char sql_schema[];
/* What every connection sets first; NULL at the end. */
extern const char *const sql_settings[];

/* Sets *w to what, SQLite's reason, and what to do about it.  Returns 0. */
int sql_fail(struct db *, struct why *w, const char *what);

/* The statement, ready to be bound; NULL with *w. */
sqlite3_stmt *sql_ready(struct db *, enum sql, struct why *w);

/* Runs a statement that gives no row.  Returns 1, or 0 with *w. */
int sql_run(struct db *, sqlite3_stmt *, struct why *w);
/* The same of one that has nothing to bind. */
int sql_run_plain(struct db *, enum sql, struct why *w);
/* The same of one that must write one row: no trigger has kept it out. */
int sql_put(struct db *, sqlite3_stmt *, struct why *w);

/*
 * Compares the schema with that of a new archive: a trigger or view that
 * somebody planted could write other rows, or show others than there are.
 * Returns 1, 0 with *w (reason "audit") if it differs, -1 with *w if it cannot
 * be read.
 */
int sql_schema_same(struct db *, struct why *w);

/*
 * Bind string, text, bytes, hex of bytes.  What is bound must live until the
 * statement ran.  A bind can only fail for lack of memory, which step reports.
 */
void sql_bind_s(sqlite3_stmt *, int i, const char *s);
void sql_bind_t(sqlite3_stmt *, int i, struct text t);
void sql_bind_b(sqlite3_stmt *, int i, const void *p, size_t n);
void sql_bind_hex(sqlite3_stmt *, int i, const uint8_t *p, size_t n);

/* The time as the archive writes it.  Returns dst. */
const char *sql_now(char dst[24]);

#endif
