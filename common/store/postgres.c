#include <ctype.h>
#include <libpq-fe.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/text.h"
#include "base/tool.h"
#include "store/schema.h"

/*
 * The archive in PostgreSQL.  This file is the plugin kms2ca-pg.so, which alone
 * is linked with libpq: that brings two dozen libraries along, and a tool loads
 * them only when somebody names a server.
 */

#define QUEUE	1024 /* statements that wait for their result */
#define VALUES	22 /* of a statement */
#define COLUMNS 40 /* of a row */
#define COMMENT "kms2ca archive, version "

/* from pg_type.h */
#define OID_BOOL  16
#define OID_BYTEA 17
#define OID_INT8  20
#define OID_INT4  23

struct pg_st {
	struct sql_st st; /* own: this struct */
	int prepared;
	int bound; /* the highest number of a value */
	const char *value[VALUES];
	int length[VALUES], binary[VALUES];
	char digits[VALUES][24];
	char *own[COLUMNS]; /* escaped, or a column unescaped */
	PGresult *res;
	int row;
};

struct pg {
	struct store db;
	char *url;
	PGconn *conn;
	int open; /* a transaction of begin() is open */
	int queued; /* results to come */
	struct pg_st st[NSQL];
};

static struct pg *
pg(const struct store *db)
{
	return db->own;
}

/* Failing --------------------------------------------------------------- */

/* Remedies by SQLSTATE or its beginning. */
static const char *
hint_of(const char *state)
{
	static const struct {
		const char *state, *hint;
	} all[] = {
		{ "25006", " (a standby: name the primary server)" },
		{ "40", " (run again)" },
		{ "42501", " (ca-db(5) says what to grant to whom)" },
		{ "53",
		    " (the server lacks room or memory: see to that, and "
		    "run again)" },
		{ "55P03", " (another process holds it: try again)" },
		{ "57", " (run again when the server is up)" },
		{ "58", " (look at the disk of the server, and run again)" },
		{ "XX", " (restore it from a backup)" },
		{ "23", " " STORE_ALTERED },
		{ "42", " " STORE_ALTERED },
		{ "P0", " " STORE_ALTERED },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strncmp(state, all[i].state, strlen(all[i].state)) == 0)
			return all[i].hint;
	return "";
}

/* Makes one line of a message of libpq. */
static char *
one_line(const char *s, char *dst, size_t size)
{
	char *p = dst;

	for (; *s != '\0' && p < dst + size - 1; s++)
		if (*s != '\n' && *s != '\t')
			*p++ = *s;
		else if (p > dst && p[-1] != ' ')
			*p++ = ' ';
	if (p > dst && p[-1] == ' ')
		p--;
	*p = '\0';
	return dst;
}

/*
 * Sets *w to what, the reason of the result (NULL: of the connection), and
 * what to do about it.  Returns 0.
 */
static int
fail(struct store *db, const PGresult *res, struct reason *w, const char *what)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *said = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	char line[256];

	if (state != NULL && said != NULL)
		return reason_set(w, "database", "%s: %s: %s%s", db->name, what,
		    one_line(said, line, sizeof(line)), hint_of(state));
	one_line(PQerrorMessage(pg(db)->conn), line, sizeof(line));
	return reason_set(w, "database",
	    "%s: %s: %s (run again when the server "
	    "is up: what had a result is safe)",
	    db->name, what, *line == '\0' ? "the connection is lost" : line);
}

/* Running --------------------------------------------------------------- */

/* Frees what was escaped or unescaped. */
static void
forget_texts(struct pg_st *st)
{
	int i;

	for (i = 0; i < COLUMNS; i++) {
		free(st->own[i]);
		st->own[i] = NULL;
	}
}

static void
forget(struct pg_st *st)
{
	PQclear(st->res);
	st->res = NULL;
	forget_texts(st);
}

/* Returns 1 if a queued statement succeeded. */
static int
queued_ok(struct store *db, PGresult *res, struct reason *w)
{
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		return fail(db, res, w, "cannot write");
	return strcmp(PQcmdTuples(res), "1") == 0 || sql_not_put(db, w);
}

/* Waits for the results of what is queued.  Returns 1, or 0 with *w. */
static int
drain(struct store *db, struct reason *w)
{
	struct pg *p = pg(db);
	PGresult *res;
	int rc = 1, nulls = 0, synced = 0;

	if (p->queued == 0)
		return 1;
	(void)PQpipelineSync(p->conn);
	/* a NULL stands behind the result of each; without end if it is lost */
	while (!synced && nulls <= p->queued) {
		res = PQgetResult(p->conn);
		nulls += res == NULL;
		synced = PQresultStatus(res) == PGRES_PIPELINE_SYNC;
		if (rc && res != NULL && !synced)
			rc = queued_ok(db, res, w);
		PQclear(res);
	}
	p->queued = 0;
	if (rc && (!synced || !PQexitPipelineMode(p->conn)))
		return fail(db, NULL, w, "cannot write");
	return rc;
}

/* Runs SQL, and ignores any rows.  Returns 1, or 0 with *w. */
static int
plain(struct store *db, const char *sql, struct reason *w, const char *what)
{
	PGresult *res;
	int rc;

	if (!drain(db, w))
		return 0;
	res = PQexec(pg(db)->conn, sql);
	rc = PQresultStatus(res) == PGRES_COMMAND_OK ||
	    PQresultStatus(res) == PGRES_TUPLES_OK || fail(db, res, w, what);
	PQclear(res);
	return rc;
}

static const char *
sql_of(enum sql n)
{
	return postgres_sql[n] != NULL ? postgres_sql[n] : sqlite_sql[n];
}

/* Names a statement, for libpq. */
static const char *
name_of(enum sql n, char name[8])
{
	(void)snprintf(name, 8, "s%d", (int)n);
	return name;
}

static struct sql_st *
ready(struct store *db, enum sql n, struct reason *w)
{
	struct pg *p = pg(db);
	struct pg_st *st = &p->st[n];
	PGresult *res;
	char name[8];

	forget(st);
	st->st.own = st;
	st->st.db = db;
	st->st.n = n;
	st->bound = 0;
	memset(st->value, 0, sizeof(st->value));
	if (st->prepared)
		return &st->st;
	if (!drain(db, w))
		return NULL;
	res = PQprepare(p->conn, name_of(n, name), sql_of(n), 0, NULL);
	st->prepared = PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!st->prepared)
		fail(db, res, w, "cannot prepare a statement");
	PQclear(res);
	return st->prepared ? &st->st : NULL;
}

static void
bind(struct sql_st *sst, int i, const void *p, size_t n, int binary)
{
	struct pg_st *st = sst->own;

	st->value[i - 1] = p;
	st->length[i - 1] = (int)n;
	st->binary[i - 1] = binary;
	if (st->bound < i)
		st->bound = i;
}

/*
 * A text in PostgreSQL is UTF-8 without NUL; names in old backups may be
 * neither.  A bad byte becomes U+FFFD and its hex.
 */
#define ESCAPE	   "\xef\xbf\xbd"
#define ESCAPE_LEN 3

/* Returns 1 if the n bytes can stand as they are. */
static int
stands(const char *s, size_t n)
{
	size_t i;

	/* most are plain ASCII */
	for (i = 0; i < n && s[i] >= ' ' && s[i] <= '~'; i++)
		continue;
	return i == n ||
	    (text_utf8(s, n) && memchr(s, '\0', n) == NULL &&
		memmem(s, n, ESCAPE, ESCAPE_LEN) == NULL);
}

/* Returns escaped bytes, *len of them: free() it.  NULL: memory is full. */
static char *
escape(const char *s, size_t n, size_t *len)
{
	char *out = malloc(5 * n + 1), *p = out;
	size_t i, k;

	for (i = 0; out != NULL && i < n; i += k) {
		/* a character of UTF-8 has four bytes at most */
		for (k = 4; k > 0; k--)
			if (i + k <= n && stands(s + i, k))
				break;
		if (k > 0)
			p = mempcpy(p, s + i, k);
		else {
			p = mempcpy(p, ESCAPE, ESCAPE_LEN);
			(void)encode_hex(p, (const uint8_t *)s + i, 1);
			p += 2;
			k = 1;
		}
	}
	*len = (size_t)(p - out);
	return out;
}

static void
bind_text(struct sql_st *sst, int i, const char *s, size_t n)
{
	struct pg_st *st = sst->own;

	if (!stands(s, n)) {
		s = st->own[i - 1] = escape(s, n, &n);
		if (s == NULL)
			heap_nomem();
	}
	bind(sst, i, s, n, 1);
}

/* Removes the escapes from a text. */
static void
unescape(struct pg_st *st, int i, struct sql_value *v)
{
	const char *s = v->p, *end = s + v->n, *hex;
	char *p;

	if (memmem(s, v->n, ESCAPE, ESCAPE_LEN) == NULL)
		return;
	if ((p = st->own[i] = malloc(v->n + 1)) == NULL)
		heap_nomem();
	while (s < end)
		if (end - s >= ESCAPE_LEN + 2 &&
		    memcmp(s, ESCAPE, ESCAPE_LEN) == 0 &&
		    isxdigit((unsigned char)s[ESCAPE_LEN]) &&
		    isxdigit((unsigned char)s[ESCAPE_LEN + 1])) {
			hex = s + ESCAPE_LEN;
			*p++ = (char)(OPENSSL_hexchar2int(
					  (unsigned char)hex[0]) *
				16 +
			    OPENSSL_hexchar2int((unsigned char)hex[1]));
			s += ESCAPE_LEN + 2;
		} else
			*p++ = *s++;
	*p = '\0';
	v->p = st->own[i];
	v->n = (size_t)(p - st->own[i]);
}

static void
bind_int(struct sql_st *sst, int i, int64_t v)
{
	struct pg_st *st = sst->own;
	char *digits = st->digits[i - 1];

	(void)snprintf(digits, sizeof(st->digits[0]), "%lld", (long long)v);
	bind(sst, i, digits, 0, 0);
}

static void
bind_blob(struct sql_st *st, int i, const void *p, size_t n)
{
	/* SQLite makes NULL of no bytes */
	bind(st, i, p, n, 1);
}

static PGresult *
execute(struct pg_st *st)
{
	char name[8];

	return PQexecPrepared(pg(st->st.db)->conn, name_of(st->st.n, name),
	    st->bound, st->value, st->length, st->binary, 1);
}

/* Runs a statement with rows.  Returns 1, or 0 with *w. */
static int
start(struct pg_st *st, struct reason *w)
{
	struct store *db = st->st.db;
	int rc;

	if (!drain(db, w))
		return 0;
	st->row = -1;
	st->res = execute(st);
	if (PQresultStatus(st->res) != PGRES_TUPLES_OK)
		rc = fail(db, st->res, w, "cannot read");
	else
		rc = PQnfields(st->res) <= COLUMNS ||
		    reason_set(w, "database",
			"%s: cannot read: columns that nobody asked "
			"for " STORE_ALTERED,
			db->name);
	if (!rc)
		forget(st);
	return rc;
}

static int
step(struct sql_st *sst, struct reason *w)
{
	struct pg_st *st = sst->own;

	if (st->res == NULL && !start(st, w))
		return -1;
	forget_texts(st);
	if (++st->row < PQntuples(st->res))
		return 1;
	forget(st);
	return 0;
}

static int
run(struct sql_st *sst, struct reason *w)
{
	struct pg_st *st = sst->own;
	PGresult *res;
	int n = -1;

	if (!drain(sst->db, w))
		return -1;
	res = execute(st);
	if (PQresultStatus(res) == PGRES_COMMAND_OK ||
	    PQresultStatus(res) == PGRES_TUPLES_OK)
		n = atoi(PQcmdTuples(res));
	else
		fail(sst->db, res, w, "cannot write");
	PQclear(res);
	return n;
}

/* Sends a statement and goes on: a reply for each would cost a round trip. */
static int
put(struct sql_st *sst, struct reason *w)
{
	struct pg_st *st = sst->own;
	struct pg *p = pg(sst->db);
	char name[8];

	if (p->queued == QUEUE && !drain(sst->db, w))
		return 0;
	if ((p->queued == 0 && !PQenterPipelineMode(p->conn)) ||
	    !PQsendQueryPrepared(p->conn, name_of(sst->n, name), st->bound,
		st->value, st->length, st->binary, 1))
		return fail(sst->db, NULL, w, "cannot write");
	p->queued++;
	return 1;
}

/* Columns --------------------------------------------------------------- */

static int
columns(const struct sql_st *sst)
{
	const struct pg_st *st = sst->own;

	return PQnfields(st->res);
}

/* Reads a number from the server: big-endian, of 1, 4 or 8 bytes. */
static int64_t
number(const void *p, size_t n)
{
	const uint8_t *byte = p;
	uint64_t v = n == 4 && (byte[0] & 0x80) != 0 ? UINT32_MAX : 0;

	while (n-- > 0)
		v = v << 8 | *byte++;
	return (int64_t)v;
}

static void
column(const struct sql_st *sst, int i, struct sql_value *v)
{
	struct pg_st *st = sst->own;
	unsigned type = PQftype(st->res, i);

	memset(v, 0, sizeof(*v));
	v->type = SQL_NULL;
	v->p = "";
	if (PQgetisnull(st->res, st->row, i))
		return;
	v->p = PQgetvalue(st->res, st->row, i);
	v->n = (size_t)PQgetlength(st->res, st->row, i);
	if (type == OID_BOOL || type == OID_INT4 || type == OID_INT8) {
		v->type = SQL_INT;
		v->i = number(v->p, v->n);
	} else if (type == OID_BYTEA)
		v->type = SQL_BLOB;
	else {
		v->type = SQL_TEXT;
		unescape(st, i, v);
	}
}

static void
reset(struct sql_st *st)
{
	forget(st->own);
}

/* Transactions ---------------------------------------------------------- */

static int
begin(struct store *db, struct reason *w)
{
	struct pg *p = pg(db);

	/* that which makes the tables is open already */
	p->open = db->fresh || plain(db, sql_of(BEGIN), w, "cannot write");
	return p->open;
}

/* Holds; during a transaction its commit does so. */
static int
hold(struct store *db, struct reason *w)
{
	return pg(db)->open || plain(db, sql_of(HOLD), w, "cannot read");
}

static int
commit(struct store *db, struct reason *w)
{
	struct pg *p = pg(db);
	PGresult *res;
	int rc;

	if (!drain(db, w))
		return 0;
	res = PQexec(p->conn, sql_of(COMMIT));
	rc = PQresultStatus(res) == PGRES_COMMAND_OK;
	if (!rc && PQstatus(p->conn) != CONNECTION_OK)
		reason_set(w, "database",
		    "%s: the connection was lost in a commit, which may have "
		    "been done or not: run again: what was done is `present'",
		    db->name);
	else if (!rc)
		fail(db, res, w, "cannot write");
	/* what has failed before is rolled back, and that is no error */
	else if (strcmp(PQcmdStatus(res), "COMMIT") != 0)
		rc = reason_set(w, "database", "%s: cannot write: rolled back",
		    db->name);
	PQclear(res);
	p->open = 0;
	db->fresh = 0;
	return rc && (!db->held || hold(db, w));
}

static void
rollback(struct store *db)
{
	struct pg *p = pg(db);
	struct reason w;

	if (!p->open)
		return;
	p->open = 0;
	(void)drain(db, &w);
	(void)plain(db, sql_of(ROLLBACK), &w, "");
	if (db->held)
		(void)hold(db, &w);
}

/* Opening --------------------------------------------------------------- */

/* Returns the schema as SQL, with pg_temp for kms2ca: free() it. */
static char *
scratch(void)
{
	const char *s = sql_of(SCHEMA), *next;
	char *out = malloc(2 * strlen(s) + 1), *p = out;

	if (out == NULL)
		heap_nomem();
	for (; (next = strstr(s, "kms2ca")) != NULL; s = next + 6)
		p = mempcpy(mempcpy(p, s, (size_t)(next - s)), "pg_temp", 7);
	(void)strcpy(p, s);
	return out;
}

/*
 * Gives the digest that this server makes of the same definitions, whose text
 * may depend on its release.
 */
static int
schema(struct store *db, uint8_t sum[32], struct reason *w)
{
	char *text = scratch();
	int rc;

	rc = plain(db, "begin read write", w, "cannot open") &&
	    plain(db, text, w,
		"cannot make a schema to compare with (grant temporary on the "
		"database)") &&
	    schema_digest(db, "pg_temp", sum, w);
	free(text);
	return plain(db, sql_of(ROLLBACK), rc ? w : &(struct reason){ "", "" },
		   "cannot open") &&
	    rc;
}

/* Returns a column of the first row; empty if the server sent none. */
static const char *
cell(const PGresult *res, int i)
{
	const char *s = PQgetvalue(res, 0, i);

	return s == NULL ? "" : s;
}

/* Returns a setting of this server that endangers rows, or NULL. */
static const char *
unsafe(const PGresult *res)
{
	return strcmp(cell(res, 1), "on") != 0 ? "fsync" :
	    strcmp(cell(res, 2), "on") != 0    ? "full_page_writes" :
						 NULL;
}

/* Sets the session up.  Returns 1, or 0 with *w. */
static int
session(struct store *db, enum store_mode mode, struct reason *w)
{
	PGresult *res = PQexec(pg(db)->conn, sql_of(OPEN));
	const char *off = mode < STORE_WRITE ? NULL : unsafe(res);
	int rc = PQresultStatus(res) == PGRES_TUPLES_OK;

	if (!rc)
		fail(db, res, w, "cannot open");
	else if (strcmp(cell(res, 0), "UTF8") != 0)
		rc = reason_set(w, "database",
		    "%s: the encoding of this database is %s: create it with "
		    "encoding UTF8",
		    db->name, cell(res, 0));
	else if (off != NULL && strcmp(cell(res, 3), "on") != 0)
		rc = reason_set(w, "database",
		    "%s: %s is off on this server: a result would not survive "
		    "a power failure: switch it on (PGOPTIONS='-c "
		    "kms2ca.unsafe=on' takes it as it is)",
		    db->name, off);
	else if (off != NULL)
		msg_warn("warning: %s: %s is off on this server: rows do "
			 "not survive a power failure, whatever the results "
			 "promise",
		    db->name, off);
	/* nothing can be made on a standby, not even to compare with */
	db->any_schema = strcmp(cell(res, 4), "true") == 0;
	if (rc && db->any_schema)
		msg_warn("warning: %s: a standby: whether its schema is that "
			 "of ca-db(5) is not known",
		    db->name);
	PQclear(res);
	return rc;
}

/* Looks for the archive.  Returns 1, 0 if there is none, -1 with *w. */
static int
find(struct store *db, int *schema_there, struct reason *w)
{
	PGresult *res = PQexec(pg(db)->conn, sql_of(FIND_ARCHIVE));
	const char *comment;
	int rc = -1;

	*schema_there = PQntuples(res) == 1;
	comment = *schema_there ? cell(res, 0) : "";
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		fail(db, res, w, "cannot open");
	else if (*schema_there && strcmp(cell(res, 2), "f") == 0)
		reason_set(w, "database",
		    "%s: this role may not use the schema kms2ca (ca-db(5) "
		    "says what to grant to whom)",
		    db->name);
	else if (strncmp(comment, COMMENT, strlen(COMMENT)) == 0) {
		db->version = atoi(comment + strlen(COMMENT));
		rc = 1;
	} else if (*schema_there && strcmp(cell(res, 1), "f") != 0)
		reason_set(w, "database",
		    "%s: its schema kms2ca is not that of this kms2ca, but: %s",
		    db->name, *comment == '\0' ? "something else" : comment);
	else if (*schema_there && strcmp(cell(res, 3), "t") != 0)
		reason_set(w, "database",
		    "%s: the schema kms2ca belongs to another role, who could "
		    "change all that is put there: drop it, or run as that role",
		    db->name);
	else
		rc = 0;
	PQclear(res);
	return rc;
}

/* Makes the archive in the open transaction.  Returns 1, or 0 with *w. */
static int
create(struct store *db, int schema_there, struct reason *w)
{
	db->fresh = 1;
	db->version = STORE_VERSION;
	return (schema_there ||
		   plain(db, sql_of(NEW_SCHEMA), w,
		       "cannot create the schema kms2ca")) &&
	    plain(db, sql_of(SCHEMA), w, "cannot create the tables") &&
	    plain(db, sql_of(NAME_SCHEMA), w, "cannot create the tables");
}

/*
 * Opens the archive, or makes one, in a transaction that store_begin() goes on
 * with: until its commit there is none.
 */
static int
open_schema(struct store *db, enum store_mode mode, struct reason *w)
{
	int rc, there;

	if (!session(db, mode, w) ||
	    (mode == STORE_CREATE &&
		!plain(db, sql_of(BEGIN_NEW), w, "cannot open")))
		return 0;
	if ((rc = find(db, &there, w)) == -1)
		return 0;
	if (rc == 0)
		return mode == STORE_CREATE ?
		    create(db, there, w) :
		    reason_set(w, "database",
			"%s: no archive in this database (ca-init makes one)",
			db->name);
	if (mode == STORE_CREATE &&
	    !plain(db, sql_of(ROLLBACK), w, "cannot open"))
		return 0;
	if (db->version == STORE_VERSION)
		return db->any_schema || schema_usable(db, mode, w);
	/* what it prints is not known; the load of a dump proves the rows */
	db->any_schema = mode == STORE_DUMP && db->version > 1 &&
	    db->version < STORE_VERSION;
	return db->any_schema || sql_version(db, db->version, w);
}

static int
publish(struct store *db, struct reason *w)
{
	(void)db;
	(void)w;
	return 1;
}

static void
close_connection(struct store *db)
{
	struct pg *p = pg(db);
	int i;

	for (i = 0; p->conn != NULL && i < NSQL; i++)
		forget(&p->st[i]);
	if (p->conn != NULL)
		PQfinish(p->conn);
	free(p->url);
	free(p);
}

/* Connecting ------------------------------------------------------------ */

/* Refuses a URL with a secret: others see command lines. */
static int
check_url(const char *url, struct reason *w)
{
	PQconninfoOption *all, *o;
	char *said = NULL, line[256];
	int rc = 1;

	all = PQconninfoParse(url, &said);
	/* what it quotes may be a password */
	if (said != NULL && strstr(said, ": \"") != NULL)
		*strstr(said, ": \"") = '\0';
	if (all == NULL)
		rc = reason_set(w, "database", "-d: %s (ca-db(5) shows some)",
		    one_line(said == NULL ? "out of memory" : said, line,
			sizeof(line)));
	for (o = all; rc && o->keyword != NULL; o++)
		if (strstr(o->keyword, "password") != NULL && o->val != NULL)
			rc = reason_set(w, "usage",
			    "-d: others can see a password on the command "
			    "line: put it into ~/.pgpass or a service file, "
			    "and change it");
	PQconninfoFree(all);
	PQfreemem(said);
	return rc;
}

/* Prints notices of the server. */
static void
notice(void *arg, const char *said)
{
	char line[256];

	msg_verbose("%s: %s", ((struct pg *)arg)->url,
	    one_line(said, line, sizeof(line)));
}

/*
 * Connects, and escapes what libpq meanwhile copies from the server to stderr.
 */
static PGconn *
connect_escaped(const char *const key[], const char *const value[])
{
	int fd = tool_tmpfile(), err = dup(STDERR_FILENO);
	FILE *fp = fdopen(fd, "r+");
	char line[256];
	PGconn *conn;

	if (fp == NULL || err == -1)
		heap_nomem();
	(void)dup2(fd, STDERR_FILENO);
	conn = PQconnectdbParams(key, value, 1);
	(void)dup2(err, STDERR_FILENO);
	(void)close(err);
	rewind(fp);
	while (fgets(line, sizeof(line), fp) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (*line != '\0')
			msg_warn("%s", line);
	}
	(void)fclose(fp);
	return conn;
}

static int
connect_to(struct pg *p, struct reason *w)
{
	const char *const key[] = { "dbname", "client_encoding",
		"fallback_application_name", NULL };
	const char *const value[] = { p->url, "UTF8", "kms2ca", NULL };
	const char *host;
	char line[256];

	p->conn = connect_escaped(key, value);
	if (p->conn == NULL)
		return reason_set(w, "database", "out of memory");
	(void)PQsetNoticeProcessor(p->conn, notice, p);
	if (PQstatus(p->conn) != CONNECTION_OK)
		return reason_set(w, "database",
		    "%s: %s (ca-db(5) shows how to name a server)", p->url,
		    one_line(PQerrorMessage(p->conn), line, sizeof(line)));
	host = PQhost(p->conn);
	if (host != NULL && *host != '/' && !PQsslInUse(p->conn))
		msg_warn("warning: %s: the connection is not encrypted, and "
			 "nobody vouches for the server: add "
			 "sslmode=verify-full",
		    p->url);
	return 1;
}

static const struct sql_driver driver = { 1, open_schema, publish,
	close_connection, begin, hold, commit, rollback, ready, bind_int,
	bind_text, bind_blob, step, run, put, columns, column, reset, schema };

struct store *
postgres_new(const char *url, struct reason *w)
{
	struct pg *p;

	/* libcrypto is started already, without openssl.cnf */
	PQinitOpenSSL(0, 0);
	if (!check_url(url, w))
		return NULL;
	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->url = strdup(url)) == NULL) {
		free(p);
		reason_set(w, "database", "out of memory");
		return NULL;
	}
	p->db.driver = &driver;
	p->db.own = p;
	p->db.name = p->url;
	if (!connect_to(p, w)) {
		close_connection(&p->db);
		return NULL;
	}
	return &p->db;
}
