#ifndef DB_H
#define DB_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "cert.h"
#include "rec.h"
#include "why.h"

/*
 * The archive of ca-db(5): tables and columns of a Windows CA database.  Every function that can fail returns 0 (or -1 where 0 has a
 * meaning) with *w, reason "database".
 */

/* [CertSrv.h] DB_DISP_*: Request.Disposition */
#define DISP_FOREIGN 12
#define DISP_ISSUED  20

/* What to do where rows are not as the tools write them. */
#define DB_ALTERED \
	"(the archive was changed by another program: check it with " \
	"ca-export -A)"

struct db;

enum db_mode {
	DB_READ, /* never writes, works on a read-only medium */
	DB_WRITE,
	DB_CREATE /* as DB_WRITE; makes a new archive if there is none */
};

/*
 * Names an archive, and has the system asked for what is needed outside of it:
 * before the sandbox.  Returns 1, or 0 with *w.
 */
int db_new(struct db **, const char *path, struct why *w);
/*
 * Opens it: a regular file of ours that nobody else can read or write, in a
 * directory that nobody else can write.  *fresh (DB_CREATE only) tells that it
 * is new: it is empty, under another name, and gone at db_close() unless
 * db_publish() came first.
 * Returns 1, or 0 with *w.
 */
int db_open(struct db *, enum db_mode, int *fresh, struct why *w);
/*
 * Gives a fresh archive its name, unless that is taken by now; the archive
 * can only be closed then.  Returns 1, or 0 with *w.
 */
int db_publish(struct db *, struct why *w);
void db_close(struct db *);
/* The directory that it needs, or NULL, for sandbox_enter().  Borrowed. */
const char *db_dir0(const struct db *);

/* Transactions ----------------------------------------------------------
 *
 * Every change is made between db_begin() and db_commit(), which writes the
 * audit row of it.
 */
#define AUDIT_HEAD_MAX 96 /* "ID:HEX64" with its NUL */

int db_begin(struct db *, struct why *w);
/*
 * From now on all that is read is of one moment, also past the commit of a
 * transaction that is open now.
 */
int db_hold(struct db *, struct why *w);
/*
 * Adds the audit row and commits; fails too, with or without the commit, where
 * the archive is no longer at its name.  head receives the new head of the
 * chain.
 * Settings that changed stand in detail as NAME=VALUE.
 */
int db_commit(struct db *, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct why *w);
void db_rollback(struct db *);

/* Settings -------------------------------------------------------------- */

int db_config_set(struct db *, const char *name, uint32_t v, struct why *w);
int db_config_get(struct db *, const char *name, uint32_t *v, struct why *w);
/* The CA certificate given to ca-init; *ca is NULL if none was. */
int db_ca_set(struct db *, const uint8_t *der, size_t n, struct why *w);
int db_ca_get(struct db *, X509 **ca, struct why *w);

/* Key recovery agents --------------------------------------------------- */

/* Returns 1 if added, 0 if it was there, -1 with *w. */
int db_kra_add(struct db *, const struct cert *, struct why *w);
/* All of them, in the order they came; caller frees the stack. */
int db_kra_all(struct db *, STACK_OF(X509) **, struct why *w);

/* Rows ------------------------------------------------------------------ */

struct db_row {
	const struct cert *cert;
	struct text group, user, mail, guid, source;
	const char *stream; /* id of the stream, hex, or "" */
	const char *requester, *caller;
	int disposition;
	int64_t id; /* of db_next_id(), or that of the row it copies */
	/* of a row that is copied, else 0 and NULL */
	int64_t audit;
	const char *submitted;
};

struct db_key {
	const uint8_t *blob; /* CMS EnvelopedData */
	size_t len;
	const char *hashes; /* KeyRecoveryHashes */
	const char *format; /* MSBLOB or PKCS8 */
	int64_t audit; /* of a key that is copied, else 0 */
};

/*
 * Looks a certificate up.  1 with *id, *has_key and the KMS user of its row,
 * borrowed until the next call; 0: not there; -1 with *w.
 */
int db_find(struct db *, const uint8_t sha256[32], int64_t *id, int *has_key,
    struct text *user, struct why *w);
/* The same of any of the CA with the serial number and issuer of this one. */
int db_find_serial(struct db *, const struct cert *, int64_t *id,
    struct why *w);
/*
 * Looks n certificates up at once, where asking for each would cost time: what
 * db_find() says of them until the commit.
 */
int db_expect(struct db *, uint8_t (*sha256)[32], size_t n, struct why *w);
/* The RequestID of the next row. */
int db_next_id(struct db *, int64_t *id, struct why *w);
/* Adds a row; key is NULL if it has none. */
int db_put_row(struct db *, const struct db_row *, const struct db_key *key,
    struct why *w);
/* Adds the archived key to a row that has none. */
int db_put_key(struct db *, int64_t id, const struct db_key *, struct why *w);

/* Selecting ------------------------------------------------------------- */

/*
 * Narrows what db_select() gives to rows of which one of the tokens added is
 * common name, serial number, thumbprint, subject key identifier, requester,
 * UPN, mail address or KMS user.
 */
int db_token(struct db *, const char *token, struct why *w);

struct db_found {
	int64_t id;
	int disposition;
	/* borrowed until the next call; never NULL */
	const char *submitted, *requester, *caller, *stream, *ski, *hashes,
	    *format;
	int64_t cert_audit, key_audit; /* the commits that wrote it */
	struct text group, user, mail, guid, source;
	const uint8_t *cert, *blob;
	size_t certlen, bloblen; /* without key format is "", bloblen 0 */
};

/* How many rows there are, and the last RequestID, or 0.  1, or 0 with *w. */
int db_count(struct db *, unsigned long long *rows, int64_t *last,
    struct why *w);
/*
 * The next row by RequestID behind `after'; without blobs, no key is read.
 * 1, 0 at the end, -1 with *w.
 */
int db_select(struct db *, int64_t after, int blobs, struct db_found *,
    struct why *w);

/* Audit ----------------------------------------------------------------- */

/*
 * Checks the whole chain and that the rows are as their commits wrote them;
 * with a head, that the chain contains it.  *last receives the present head.
 * Returns 1; 0 with *w (reason "audit") if something was changed; -1 with *w
 * if it cannot be checked.
 */
int db_audit(struct db *, const char *head, char last[AUDIT_HEAD_MAX],
    struct why *w);

/* Reads a head as it was printed, in either case.  Returns 1, or 0. */
int db_head(const char *s, char head[AUDIT_HEAD_MAX]);

/* An audit row: what a commit did. */
struct db_event {
	int64_t id;
	/* until the next call */
	const char *when, *caller, *action, *detail, *digest, *hash;
};

/*
 * The next commit behind `after' that was neither import nor export.  1, 0 at
 * the end, -1 with *w.
 */
int db_since(struct db *, int64_t after, struct db_event *, struct why *w);

/* Copying ---------------------------------------------------------------
 *
 * What makes a copy of an archive, beside its rows.  Each db_next_ gives what
 * comes behind `after': 1, 0 at the end, -1 with *w; what it points to is
 * borrowed until the next call.
 */

struct db_setting {
	const char *name;
	uint32_t value;
	const uint8_t *cert; /* of CACertificate, in place of the value; NULL */
	size_t len;
	int64_t audit;
};

struct db_agent {
	int64_t id, audit;
	const char *added;
	const uint8_t *cert;
	size_t len;
};

int db_next_event(struct db *, int64_t after, struct db_event *, struct why *w);
int db_next_setting(struct db *, const char *after, struct db_setting *,
    struct why *w);
int db_next_agent(struct db *, int64_t after, struct db_agent *, struct why *w);

/*
 * Each adds one to the archive, within a transaction that db_commit_copy()
 * ends, or finds that it is there: 1, 0 if it was there, -1 with *w.  An audit
 * row must follow from the last, or be the one that is there.
 */
int db_copy_event(struct db *, const struct db_event *, struct why *w);
int db_copy_setting(struct db *, const struct db_setting *, struct why *w);
int db_copy_agent(struct db *, const struct db_agent *, const struct cert *,
    struct why *w);
/*
 * The same of a row, with its key or NULL.  2: the row was there, and its key
 * was not.
 */
int db_copy_row(struct db *, const struct db_row *, const struct db_key *,
    struct why *w);

/* Commits without an audit row of its own; head receives the last there is. */
int db_commit_copy(struct db *, char head[AUDIT_HEAD_MAX], struct why *w);

#endif
