#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/table.h"
#include "base/text.h"

/*
 * What the modules of this room stand on: the names of the statements, the
 * drivers that run them, and the archive that is open.  The statements
 * themselves are in sqlite.sql and postgres.sql.  Values are only bound.
 */

/* What to do where rows are not as the tools write them. */
#define STORE_ALTERED \
	"(the archive was changed by another program: check it with " \
	"ca-audit)"

enum store_mode {
	STORE_READ, /* never writes, works on a read-only medium */
	STORE_CHECK, /* as STORE_READ; store_audit() judges the schema */
	STORE_DUMP, /* as STORE_READ; takes older versions, too */
	STORE_WRITE,
	STORE_CREATE /* as STORE_WRITE; makes a new archive if there is none */
};

#define STORE_VERSION 4 /* of the schema; kms2ca 0.2 had 3, 0.1 had 2 */

/* clang-format off */
enum sql {
	SCHEMA, SCHEMA_IS, OPEN, FIND_ARCHIVE, NEW_SCHEMA, NAME_SCHEMA,
	BEGIN_NEW, BEGIN, COMMIT, ROLLBACK, HOLD,
	SETTING_SET, SETTING_GET, CA_SET, CA_GET, SETTING_NEXT, SETTING_COPY,
	AGENT_FORCED, AGENT_IS, AGENT_LEFT, AGENT_ADD, AGENT_ALL, AGENT_COUNT, AGENT_NEXT,
	AGENT_COPY, AGENT_OF,
	FIND, FIND_MANY, FIND_SERIAL, ROW_OF, ROW_LAST,
	PUT_REQUEST, PUT_CERT, PUT_KEY,
	VERSION_OF, VERSION_ADD, VERSION_NEXT, OLD_NEXT, OLD_DROP,
	OLD_DROP_VERSION, OLD_DROPPED, FAULT_ADD, FAULT_CURE, FAULT_CURE_NAME, FAULT_NEXT,
	FAULT_OF, FAULT_COPY, CURE_COPY,
	NAME_ADD, NAME_LAST, NAME_NEXT, NAME_IS, NAMES_OF, NAMED,
	NAMES, COUNT, LIST, SELECT, SELECT_FIRST,
	COMMIT_ADD, COMMIT_LAST, COMMIT_OF, COMMIT_NEXT, COMMIT_SINCE,
	COMMIT_PAGE, COMMIT_DIGEST, WROTE_ROWS, WROTE_CERT, WROTE_KEY, WROTE_KEY_NOW,
	WROTE_VERSION, WROTE_VERSION_NOW, WROTE_NAME, WROTE_FAULT, WROTE_CURE, WROTE_AGENT,
	WROTE_CA, ORPHANS, AHEAD, STRANGERS, INTEGRITY, NSQL
};
/* clang-format on */

/*
 * Every statement by its name.  In postgres_sql those are NULL that are the same
 * in SQLite.
 */
extern const char *const sqlite_sql[NSQL], *const postgres_sql[NSQL];

struct store;

/* A statement of an open archive. */
struct sql_st {
	struct store *db;
	enum sql n;
	void *own; /* the driver's part */
};

/* A column.  The types are the numbers that stand in a digest: ca-db(5). */
struct sql_value {
	enum { SQL_INT = 1, SQL_REAL, SQL_TEXT, SQL_BLOB, SQL_NULL } type;
	int64_t i; /* of SQL_INT */
	/* Of the other types: n bytes, borrowed until the next step.  A NUL
	 * stands behind the last byte of a text. */
	const void *p;
	size_t n;
};

/*
 * One kind of store.  Where nothing else is said, a function returns 1, or 0
 * with *w.
 */
struct sql_driver {
	int remote; /* every question costs a round trip */
	/* Opens what the driver's new made; sets fresh with STORE_CREATE. */
	int (*open)(struct store *, enum store_mode, struct reason *w);
	/* Gives a fresh archive its name. */
	int (*publish)(struct store *, struct reason *w);
	/* Frees the archive, whatever state it is in. */
	void (*close)(struct store *);

	int (*begin)(struct store *, struct reason *w);
	int (*hold)(struct store *, struct reason *w);
	int (*commit)(struct store *, struct reason *w);
	/* Does nothing if there is no transaction. */
	void (*rollback)(struct store *);

	/* The statement, to be bound from 1 on; NULL with *w. */
	struct sql_st *(*ready)(struct store *, enum sql, struct reason *w);
	/*
	 * What is bound must live until the statement ran.  Binding fails only
	 * for lack of memory, which the run reports.
	 */
	void (*bind_int)(struct sql_st *, int i, int64_t v);
	void (*bind_text)(struct sql_st *, int i, const char *s, size_t n);
	void (*bind_blob)(struct sql_st *, int i, const void *p, size_t n);
	/* The next row: 1, 0 behind the last, -1 with *w. */
	int (*step)(struct sql_st *, struct reason *w);
	/* Runs what only writes.  Returns how many rows it wrote, -1 with *w. */
	int (*run)(struct sql_st *, struct reason *w);
	/*
	 * Runs what must write one row.  A driver may only send it: that no row
	 * was written is then told by the next step, run or commit.
	 */
	int (*put)(struct sql_st *, struct reason *w);
	int (*columns)(const struct sql_st *);
	void (*column)(const struct sql_st *, int i, struct sql_value *);
	/* Ends a statement whose last row was not reached. */
	void (*reset)(struct sql_st *);

	/* The digest that the schema of this version ought to have. */
	int (*schema)(struct store *, uint8_t sum[32], struct reason *w);
};

/* Whose a certificate is, and where it was seen.  Not there is empty. */
struct store_seen {
	struct text group, user, mail, guid, source;
	const char *stream; /* id of the stream, hex, or "" */
};

/* What is known of a certificate that is looked up. */
struct store_known {
	uint8_t sha256[32];
	int64_t id; /* of its row; 0: it is not there */
	int has_key;
	struct store_seen seen; /* owned; without guid, source and stream */
};

#define NAME_OWN   0 /* the name that the row itself has */
#define NAME_NONE  (-1)
#define NAME_ALL   (-1)
#define FAULTS_MAX 1048576 /* of a run */
#define FAULT_HASH 64 /* digits of its SHA-256 */
#define NAMES_MAX  1000 /* of a row */

/* A name of a row. */
struct store_name {
	int64_t id; /* NameID, or NAME_OWN; to add one, 0: the next */
	int64_t row; /* its RequestID */
	struct store_seen seen;
	int64_t replaces; /* a NameID, NAME_OWN, or NAME_NONE */
	int64_t audit; /* the commit that wrote it; 0: this one */
	int former; /* another has replaced it */
	int given; /* store_select_name() gave it */
};

/* A row that was chosen, under that name; NAME_ALL: under each. */
struct store_chosen {
	int64_t id, name;
	int how; /* what query_wants() said */
};

/* An archive.  Its driver allocates it and frees it. */
struct store {
	const struct sql_driver *driver;
	void *own; /* the driver's part, which holds this struct */
	const char *name; /* of the archive, as the user knows it */
	const char *dir; /* where it is; NULL: in no directory */
	int fresh; /* made by this process, and not published yet */
	int version; /* of its schema */
	int any_schema; /* there is nothing to compare the schema with: */
	uint8_t schema[32]; /* the digest that it ought to have */
	int writing; /* between store_begin() and its end */
	int held; /* store_hold() was called */
	int bounded; /* it was called between store_begin() and its end: */
	int64_t bound; /* the last row of then */
	int64_t audit; /* AuditID of the open transaction */
	int64_t first; /* and of the first; 0: none began yet */
	/* The commit that store_version_drop() looked at last, or 0, and whether
	 * its digest bears that. */
	int64_t looked_at[2];
	int invariant[2];
	char last[65]; /* Hash of the audit row before that one */
	int64_t request; /* the RequestID used last */
	int searched; /* store_search() chose nrows rows, under nchosen names: */
	struct store_chosen *chosen; /* in order of the rows */
	size_t nchosen, chosen_room;
	unsigned long long nrows;
	struct sql_st *select; /* SELECT or LIST while it has rows to come */
	int64_t selected; /* RequestID of the row that it gave last */
	struct store_known *known; /* nknown of them, sorted; store_expect() */
	size_t nknown;
	struct store_known found; /* what store_find() looked up last */
	int64_t last_name; /* the NameID used last in this transaction, or 0 */
	struct store_name *names; /* nnames of them: store_names() */
	size_t nnames, names_room;
	int64_t named; /* the next row with other names; store_select_name() */
	size_t name_at; /* how many of nnames were looked at */
	struct table faults; /* hashes of those that came in this run */
};

/*
 * Each makes an archive of its kind, not yet open; NULL with *w.  postgres_new()
 * is in the plugin, and never called by name.
 */
struct store *sqlite_new(const char *path, struct reason *w);
struct store *postgres_new(const char *url, struct reason *w);

/* A copy of a text, whose s is to be freed; out of memory exits 2. */
struct text sql_text_dup(struct text);

/* Frees what sql_text_dup() has made of it. */
void sql_free_seen(struct store_seen *);

/* Forgets the names of store_names(). */
void sql_forget_names(struct store *);

/* Nothing is known any more of what store_expect() asked for. */
void sql_forget(struct store *);

/* Sets *w: the archive has another version than this kms2ca.  Returns 0. */
int sql_version(const struct store *, int version, struct reason *w);

/* Sets *w: a row was not written.  Returns 0. */
int sql_not_put(const struct store *, struct reason *w);

/* The functions of the driver of that name: see there. */
struct sql_st *sql_ready(struct store *, enum sql, struct reason *w);
int sql_step(struct sql_st *, struct reason *w);
void sql_reset(struct sql_st *);
int sql_run(struct sql_st *, struct reason *w);
int sql_put(struct sql_st *, struct reason *w);
/*
 * Asks a statement of one number, and steps to its first row.  1 with *st; 0: there
 * is none; -1 with *w.
 */
int sql_ask(struct store *, enum sql, int64_t v, struct sql_st **st,
    struct reason *w);
/* Steps to the one row that there always is.  Returns 1, or 0 with *w. */
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
/* A column of the row at hand; 0, "" or empty where it is of another type. */
int64_t sql_int(const struct sql_st *, int i);
const char *sql_str(const struct sql_st *, int i);
struct text sql_col_text(const struct sql_st *, int i);

/* The six parameters, or columns, from i on: group to stream, in their order. */
void sql_bind_seen(struct sql_st *, int i, const struct store_seen *);
struct store_seen sql_col_seen(const struct sql_st *, int i);

/*
 * What stands for an archived key that was dropped, and for each in a digest: its
 * SHA-256.  No key has so few bytes.
 */
#define STORE_DROPPED 32

/*
 * Hashes every column of every row that the statement gives, as ca-db(5) says;
 * keys tells that its blobs are archived keys; *rows counts them.  Returns 1, or
 * 0 with *w.
 */
int sql_hash(EVP_MD_CTX *, struct sql_st *, int keys, unsigned long long *rows,
    struct reason *w);

/* The time as the archive writes it.  Returns dst. */
const char *sql_now(char dst[24]);

#endif
