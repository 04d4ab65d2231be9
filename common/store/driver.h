#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "store/store.h"

/*
 * What the db_ modules stand on: the schema, every statement there is, and the
 * drivers that run them.  Values are only bound.
 */

/* clang-format off */
enum sql {
	OPEN, FIND_ARCHIVE, NEW_SCHEMA, BEGIN, COMMIT, ROLLBACK, HOLD, HELD,
	CONFIG_SET, CONFIG_GET, CA_SET, CA_GET, KRA_ADD, KRA_ALL, FIND,
	FIND_MANY, FIND_SERIAL, REQUEST_LAST, PUT_REQUEST, PUT_CERT, PUT_KEY, TOKEN_ADD,
	COUNT, LIST, SELECT, AUDIT_ADD, AUDIT_LAST, AUDIT_ALL, AUDIT_SINCE,
	EVENT_NEXT, EVENT_OF, SETTING_NEXT, SETTING_COPY, AGENT_NEXT,
	AGENT_COPY, AGENT_OF, ROW_OF, CERT_OF, KEY_OF, KEY_NEW, KRA_OF, CA_OF, ORPHANS, STRANGERS, SCHEMA,
	INTEGRITY, NSQL
};
/* clang-format on */

/* In SQLite's words, and in PostgreSQL's where they are others, else NULL. */
struct sql_text {
	const char *lite, *pg;
};

extern const struct sql_text sql_text[NSQL];
extern const char sql_schema[], sql_schema_pg[];

/* A statement: a driver has more of it behind this. */
struct sql_st {
	struct store *db;
	enum sql n;
};

/* A column.  The types are the numbers that stand in a digest: ca-db(5). */
struct sql_value {
	enum { SQL_INT = 1, SQL_REAL, SQL_TEXT, SQL_BLOB, SQL_NULL } type;
	int64_t i; /* of SQL_INT */
	const void *p; /* of the others: n bytes, borrowed until the next step;
			* behind the last of a text there is a NUL */
	size_t n;
};

/*
 * One kind of store.  Where nothing else is said, a function returns 1, or 0
 * with *w.
 */
struct sql_driver {
	int remote; /* every question costs time */
	/* Opens what the driver's new made; sets fresh with STORE_CREATE. */
	int (*open)(struct store *, enum store_mode, struct reason *w);
	int (*publish)(struct store *, struct reason *w); /* if fresh */
	/* Frees it, whatever state it is in. */
	void (*close)(struct store *);

	int (*begin)(struct store *, struct reason *w);
	int (*hold)(struct store *, struct reason *w);
	int (*commit)(struct store *, struct reason *w);
	/* Does nothing if there is no transaction. */
	void (*rollback)(struct store *);

	/* The statement, to be bound from 1 on; NULL with *w. */
	struct sql_st *(*ready)(struct store *, enum sql, struct reason *w);
	/*
	 * What is bound must live until the statement ran.  It can only fail
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
	 * The same of what must write one row: no trigger has kept it out.
	 * That it did not may be told later, by the commit at the latest.
	 */
	int (*put)(struct sql_st *, struct reason *w);
	int (*columns)(const struct sql_st *);
	void (*column)(struct sql_st *, int i, struct sql_value *);
	/* Ends a statement whose last row was not reached. */
	void (*reset)(struct sql_st *);

	/* The digest that the schema of an archive ought to have. */
	int (*schema)(struct store *, uint8_t sum[32], struct reason *w);
};

/* A certificate that was asked for before it was needed. */
struct store_known {
	uint8_t sha256[32];
	int64_t id; /* 0: it is not there */
	int has_key;
	char *user; /* NULL, or userlen bytes */
	size_t userlen;
};

struct store {
	const struct sql_driver *driver;
	const char *name; /* of the archive, as the user knows it */
	const char *dir; /* where it is; NULL: in no directory */
	int fresh; /* made by this process, and not published yet */
	int64_t audit; /* AuditID of the open transaction */
	char last[65]; /* Hash of the audit row before it */
	int64_t request; /* the RequestID used last */
	struct sql_st *select; /* SELECT, with rows to come behind: */
	int64_t selected;
	struct store_known *known; /* nknown of them, sorted */
	size_t nknown;
	struct store_known found; /* the last that was asked for when needed */
};

/* Each makes a db of its kind, not yet open; NULL with *w. */
struct store *sqlite_new(const char *path, struct reason *w);
struct store *postgres_new(const char *url, struct reason *w);

/* Nothing is known any more. */
void sql_forget(struct store *);

/* Sets *w: a row was not written.  Returns 0. */
int sql_not_put(const struct store *, struct reason *w);

/* The statement, ready to be bound; NULL with *w. */
struct sql_st *sql_ready(struct store *, enum sql, struct reason *w);

/* The driver's, for short: see there. */
int sql_step(struct sql_st *, struct reason *w);
void sql_reset(struct sql_st *);
/* The same to the one row that there always is.  1, or 0 with *w. */
int sql_one(struct sql_st *, struct reason *w);
int sql_run(struct sql_st *, struct reason *w);
int sql_put(struct sql_st *, struct reason *w);

/* Bind number, string (NULL: empty), text, bytes. */
void sql_bind_i(struct sql_st *, int i, int64_t v);
void sql_bind_s(struct sql_st *, int i, const char *s);
void sql_bind_t(struct sql_st *, int i, struct text t);
void sql_bind_b(struct sql_st *, int i, const void *p, size_t n);
/* The same of bytes as hex, which stands in hex: it must live as long. */
void sql_bind_hex(struct sql_st *, int i, const uint8_t *p, size_t n,
    char hex[]);

void sql_column(struct sql_st *, int i, struct sql_value *);
/* A column of the row at hand; 0, "" or empty where it is of another type. */
int64_t sql_int(struct sql_st *, int i);
const char *sql_str(struct sql_st *, int i);
struct text sql_col_text(struct sql_st *, int i);

/*
 * The Hash of an audit row: SHA-256 over that of the row before and six fields,
 * each with its length.  Returns 1, or 0 when out of memory.
 */
int sql_chain(const char *before, const char *const field[6], char hex[65]);

/* The digest of the schema as it is, from SCHEMA.  1, or 0 with *w. */
int sql_schema_digest(struct store *, uint8_t sum[32], struct reason *w);
/*
 * May an archive that is there be written?  A trigger or view that somebody
 * planted could write other rows, or show others than there are.  1, or 0 with
 * *w.
 */
int sql_writable(struct store *, struct reason *w);

/* The time as the archive writes it.  Returns dst. */
const char *sql_now(char dst[24]);

#endif
