#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/table.h"
#include "base/text.h"

/*
 * What the modules of this room share: the names of the statements, the drivers
 * that run them, and the open archive.  The statements themselves are in
 * sqlite.sql and postgres.sql.  Values are only bound.
 */

/* The remedy if rows are not as the tools write them. */
#define STORE_ALTERED \
	"(the archive was changed by another program: check it with " \
	"ca-audit)"

enum store_mode {
	STORE_READ, /* never writes; works on a read-only medium */
	STORE_CHECK, /* reads; store_audit() judges the schema */
	STORE_DUMP, /* reads; takes older schema versions too */
	STORE_WRITE,
	STORE_CREATE /* writes; makes a new archive if there is none */
};

#define STORE_VERSION 4 /* of the schema; kms2ca 0.2 had 3, 0.1 had 2 */

/* clang-format off */
enum sql {
	SCHEMA, SCHEMA_IS, OPEN, FIND_ARCHIVE, NEW_SCHEMA, NAME_SCHEMA,
	BEGIN_NEW, BEGIN, COMMIT, ROLLBACK, HOLD,
	SETTING_SET, SETTING_GET, CA_SET, CA_GET, SETTING_NEXT, SETTING_COPY,
	AGENT_FORCED, AGENT_IS, AGENT_LEFT, AGENT_ADD, AGENT_ALL, AGENT_COUNT,
	AGENT_NEXT, AGENT_COPY, AGENT_OF,
	FIND, FIND_MANY, FIND_SERIAL, ROW_OF, ROW_LAST,
	PUT_REQUEST, PUT_CERT, PUT_KEY,
	VERSION_OF, VERSION_ADD, VERSION_NEXT, OLD_NEXT, OLD_DROP,
	OLD_DROP_VERSION, OLD_DROPPED, FAULT_ADD, FAULT_CURE, FAULT_CURE_NAME,
	FAULT_NEXT, FAULT_OF, FAULT_COPY, CURE_COPY,
	NAME_ADD, NAME_LAST, NAME_NEXT, NAME_IS, NAMES_OF, NAMED,
	NAMES, COUNT, LIST, SELECT, SELECT_FIRST,
	COMMIT_ADD, COMMIT_LAST, COMMIT_OF, COMMIT_NEXT, COMMIT_SINCE,
	COMMIT_PAGE, COMMIT_DIGEST, WROTE_ROWS, WROTE_CERT, WROTE_KEY,
	WROTE_KEY_NOW,
	WROTE_VERSION, WROTE_VERSION_NOW, WROTE_NAME, WROTE_FAULT, WROTE_CURE,
	WROTE_AGENT, WROTE_CA, ORPHANS, AHEAD, STRANGERS, INTEGRITY, NSQL
};
/* clang-format on */

/*
 * Every statement by its name.  In postgres_sql a NULL stands for the one of
 * SQLite.
 */
extern const char *const sqlite_sql[NSQL], *const postgres_sql[NSQL];

struct store;

/* A statement of an open archive. */
struct sql_st {
	struct store *db;
	enum sql n;
	void *own; /* private to the driver */
};

/* A column.  A digest has the numbers of the types: ca-db(5). */
struct sql_value {
	enum { SQL_INT = 1, SQL_REAL, SQL_TEXT, SQL_BLOB, SQL_NULL } type;
	int64_t i; /* the value of SQL_INT */
	/* Of other types: n bytes until the next step, then a NUL. */
	const void *p;
	size_t n;
};

/*
 * One kind of store.  Unless stated otherwise, a function returns 1, or 0 with
 * *w.
 */
struct sql_driver {
	int remote; /* 1: every question costs a round trip */
	/* Opens a new archive; sets fresh with STORE_CREATE. */
	int (*open)(struct store *, enum store_mode, struct reason *w);
	/* Gives a fresh archive its name. */
	int (*publish)(struct store *, struct reason *w);
	/* Frees the archive in any state. */
	void (*close)(struct store *);

	int (*begin)(struct store *, struct reason *w);
	int (*hold)(struct store *, struct reason *w);
	int (*commit)(struct store *, struct reason *w);
	/* Does nothing if there is no transaction. */
	void (*rollback)(struct store *);

	/* Returns the statement, to be bound from 1 on, or NULL with *w. */
	struct sql_st *(*ready)(struct store *, enum sql, struct reason *w);
	/*
	 * Bound values must live until the statement ran.  Binding fails only
	 * for lack of memory, which the run reports.
	 */
	void (*bind_int)(struct sql_st *, int i, int64_t v);
	void (*bind_text)(struct sql_st *, int i, const char *s, size_t n);
	void (*bind_blob)(struct sql_st *, int i, const void *p, size_t n);
	/* Goes to the next row.  Returns 1, 0 behind the last, -1 with *w. */
	int (*step)(struct sql_st *, struct reason *w);
	/* Runs a write.  Returns how many rows it wrote, or -1 with *w. */
	int (*run)(struct sql_st *, struct reason *w);
	/*
	 * Runs what must write one row.  A driver may only send it: then the
	 * next step, run or commit reports that no row was written.
	 */
	int (*put)(struct sql_st *, struct reason *w);
	int (*columns)(const struct sql_st *);
	void (*column)(const struct sql_st *, int i, struct sql_value *);
	/* Ends a statement before its last row. */
	void (*reset)(struct sql_st *);

	/* Gives the digest that the schema of this version must have. */
	int (*schema)(struct store *, uint8_t sum[32], struct reason *w);
};

/* Whose a certificate is, and where it was seen; unknown parts are empty. */
struct store_seen {
	struct text group, user, mail, guid, source;
	const char *stream; /* id of the stream, hex, or "" */
};

/* What is known of a certificate that was looked up. */
struct store_known {
	uint8_t sha256[32];
	int64_t id; /* of its row; 0: it has none */
	int has_key;
	struct store_seen seen; /* owned; without guid, source and stream */
};

#define NAME_OWN   0 /* the name in the row itself */
#define NAME_NONE  (-1)
#define NAME_ALL   (-1)
#define FAULTS_MAX 1048576 /* in one run */
#define FAULT_HASH 64 /* digits of its SHA-256 */
#define NAMES_MAX  1000 /* of a row */

/* A name of a row. */
struct store_name {
	int64_t id; /* NameID or NAME_OWN; to add one, 0: the next */
	int64_t row; /* its RequestID */
	struct store_seen seen;
	int64_t replaces; /* a NameID, NAME_OWN, or NAME_NONE */
	int64_t audit; /* the commit that wrote it; 0: this one */
	int former; /* 1: another name has replaced it */
	int given; /* 1: store_select_name() gave it */
};

/* A chosen row, under one name, or under each (NAME_ALL). */
struct store_chosen {
	int64_t id, name;
	int how; /* the result of query_wants() */
};

/* An archive.  Its driver allocates and frees it. */
struct store {
	const struct sql_driver *driver;
	void *own; /* the driver's struct, which contains this one */
	const char *name; /* of the archive, as the user knows it */
	const char *dir; /* its directory, or NULL */
	int fresh; /* 1: made by this process, and not published yet */
	int version; /* of the schema */
	int any_schema; /* 1: there is nothing to compare the schema with */
	uint8_t schema[32]; /* the digest that the schema must have */
	int writing; /* 1: between store_begin() and its end */
	int held; /* 1: store_hold() was called */
	int bounded; /* 1: it was called between those two */
	int64_t bound; /* the last row at that time */
	int64_t audit; /* AuditID of the open transaction */
	int64_t first; /* AuditID of the first one; 0: none began yet */
	/* Last commits of store_version_drop(), or 0; 1: unaltered. */
	int64_t looked_at[2];
	int invariant[2];
	char last[65]; /* Hash of the audit row before audit */
	int64_t request; /* the RequestID used last */
	int searched; /* 1: store_search() chose nrows rows, nchosen names */
	struct store_chosen *chosen; /* in the order of rows */
	size_t nchosen, chosen_room;
	unsigned long long nrows;
	struct sql_st *select; /* SELECT or LIST while it has rows to give */
	int64_t selected; /* RequestID of the row that it gave last */
	struct store_known *known; /* of store_expect(): nknown, sorted */
	size_t nknown;
	struct store_known found; /* the last result of store_find() */
	int64_t last_name; /* the last NameID in this transaction, or 0 */
	struct store_name *names; /* for store_names(): nnames of them */
	size_t nnames, names_room;
	int64_t named; /* for store_select_name(): the next row with names */
	size_t name_at; /* how many of nnames were looked at */
	struct table faults; /* hashes of the faults of this run */
};

/*
 * Each makes an unopened archive of its kind, or returns NULL with *w.  The
 * plugin has postgres_new(), which is never called by name.
 */
struct store *sqlite_new(const char *path, struct reason *w);
struct store *postgres_new(const char *url, struct reason *w);

/* Returns a copy of a text; free its s.  Exits 2 when memory is full. */
struct text sql_text_dup(struct text);

/* Frees copies that sql_text_dup() made. */
void sql_free_seen(struct store_seen *);

/* Forgets the names of store_names(). */
void sql_forget_names(struct store *);

/* Forgets the result of store_expect(). */
void sql_forget(struct store *);

/* Sets *w: the archive has another version than this kms2ca.  Returns 0. */
int sql_version(const struct store *, int version, struct reason *w);

/* Sets *w: a row was not written.  Returns 0. */
int sql_not_put(const struct store *, struct reason *w);

/* Each calls the driver's function of that name. */
struct sql_st *sql_ready(struct store *, enum sql, struct reason *w);
int sql_step(struct sql_st *, struct reason *w);
void sql_reset(struct sql_st *);
int sql_run(struct sql_st *, struct reason *w);
int sql_put(struct sql_st *, struct reason *w);
/*
 * Runs a statement with one number, and goes to its first row.  Returns 1 with
 * *st, 0 if there is none, or -1 with *w.
 */
int sql_ask(struct store *, enum sql, int64_t v, struct sql_st **st,
    struct reason *w);
/* Goes to the one row that there always is.  Returns 1, or 0 with *w. */
int sql_one(struct sql_st *, struct reason *w);

/* Each binds one value: a number, a string (NULL: empty), a text, bytes. */
void sql_bind_i(struct sql_st *, int i, int64_t v);
void sql_bind_s(struct sql_st *, int i, const char *s);
void sql_bind_t(struct sql_st *, int i, struct text t);
void sql_bind_b(struct sql_st *, int i, const void *p, size_t n);
/* Binds bytes as hex, which is written to hex and must live as long. */
void sql_bind_hex(struct sql_st *, int i, const uint8_t *p, size_t n,
    char hex[]);

void sql_column(const struct sql_st *, int i, struct sql_value *);
/* Each returns a column; 0, "" or empty if it is of another type. */
int64_t sql_int(const struct sql_st *, int i);
const char *sql_str(const struct sql_st *, int i);
struct text sql_col_text(const struct sql_st *, int i);

/* The six parameters or columns from i on: group to stream, in this order. */
void sql_bind_seen(struct sql_st *, int i, const struct store_seen *);
struct store_seen sql_col_seen(const struct sql_st *, int i);

/*
 * Bytes of a SHA-256, which replaces an archived key that was dropped, and any
 * archived key in a digest.  No key is so short.
 */
#define STORE_DROPPED 32

/*
 * Hashes every column of every row of the statement, as ca-db(5) says.  With
 * keys, its blobs are archived keys.  *rows counts rows.  Returns 1, or 0 with
 * *w.
 */
int sql_hash(EVP_MD_CTX *, struct sql_st *, int keys, unsigned long long *rows,
    struct reason *w);

/* Writes the time as the archive has it to dst.  Returns dst. */
const char *sql_now(char dst[24]);

#endif
