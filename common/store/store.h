#ifndef STORE_H
#define STORE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "key/cert.h"
#include "store/driver.h"
#include "store/query.h"

/*
 * The archive of ca-db(5): tables and columns of a Windows CA database.  A
 * function that fails sets *w, with reason "database", and returns 0, or -1
 * where 0 says something else.  What it gives is borrowed, until the next call,
 * where nothing else is said.
 */

/* [CertSrv.h] DB_DISP_*: Request.Disposition */
#define DISP_FOREIGN 12
#define DISP_ISSUED  20

/*
 * Names an archive, and has the system asked for what is needed outside of it:
 * before the sandbox.  Returns 1, or 0 with *w.
 */
int store_new(struct store **, const char *path, struct reason *w);
/*
 * Opens the archive: a regular file of ours that nobody else can read or write,
 * in a directory that nobody else can write, or a schema, with the tables of
 * ca-db(5) and no others.  *fresh (STORE_CREATE only) tells
 * that it is new.  A fresh archive is empty, under another name, and gone at
 * store_close() unless store_publish() came first.  Returns 1, or 0 with *w.
 */
int store_open(struct store *, enum store_mode, int *fresh, struct reason *w);
/*
 * Gives a fresh archive its name, unless that is taken by now.  After it the
 * archive can only be closed.  Returns 1, or 0 with *w.
 */
int store_publish(struct store *, struct reason *w);
void store_close(struct store *);
/* The directory that it needs, for sandbox_enter(), or NULL. */
const char *store_dir0(const struct store *);

/* Transactions ----------------------------------------------------------
 *
 * Every change is made between store_begin() and store_commit(), which adds a
 * link to the chain: a row of the audit table.
 */
#define AUDIT_HEAD_MAX 96 /* "ID:HEX64" with its NUL */

/*
 * Fails where something is there already that has the number of a commit to
 * come: this one would vouch for it.
 */
int store_begin(struct store *, struct reason *w);
/*
 * From now on all that is read is of one moment, also past the commit of a
 * transaction that is open now.  Nobody who writes is held up.
 */
int store_hold(struct store *, struct reason *w);
/*
 * Adds the audit row and commits.  It fails, with or without the commit, where
 * the archive is no longer at its name.  Settings that changed stand in detail
 * as NAME=VALUE, how many agents were added as kras=N.  head receives the new
 * head of the chain.
 */
int store_commit(struct store *, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct reason *w);
void store_rollback(struct store *);

/* Settings -------------------------------------------------------------- */

int store_setting_set(struct store *, const char *name, uint32_t v,
    struct reason *w);
/* *v is 0 where the setting is not there. */
int store_setting_get(struct store *, const char *name, uint32_t *v,
    struct reason *w);
/* The CA certificate given to ca-init. */
int store_ca_set(struct store *, const uint8_t *der, size_t n,
    struct reason *w);
/* Gives *ca to the caller; NULL if there is none. */
int store_ca_get(struct store *, X509 **ca, struct reason *w);

/* Key recovery agents --------------------------------------------------- */

/* Returns 1 if added, 0 if it was there, -1 with *w. */
int store_agent_add(struct store *, const struct cert *, struct reason *w);
/*
 * Was ca-init told to take the agent with this SHA-1, in hex, although
 * agent_check() refuses it?  The detail of the commit that took it has
 * `forced=SHA1' then.  Returns 1, 0, or -1 with *w.
 */
int store_agent_forced(struct store *, const char *sha1, struct reason *w);
/* Is the certificate with this SHA-256 an agent's?  1, 0, or -1 with *w. */
int store_agent_is(struct store *, const char *sha256, struct reason *w);
/* Has the agent with this SHA-1 left?  1, 0, or -1 with *w. */
int store_agent_left(struct store *, const char *sha1, struct reason *w);
/* All agents, in the order in which they came; the caller frees the stack. */
int store_agent_all(struct store *, STACK_OF(X509) **, struct reason *w);
/* How many there are.  Returns 1, or 0 with *w. */
int store_agent_count(struct store *, uint32_t *n, struct reason *w);

/* Rows ------------------------------------------------------------------ */

/* What goes into a row.  All of it is the caller's. */
struct store_row {
	const struct cert *cert;
	struct store_seen seen;
	const char *requester, *caller;
	int disposition;
	int64_t id; /* of store_next_id(), or that of the row it restores */
	/* What a restored row says; else 0 and NULL: this commit, now. */
	int64_t audit;
	const char *submitted;
};

/* An archived key.  All of it is the caller's, who frees the blob. */
struct store_key {
	const uint8_t *blob; /* CMS EnvelopedData */
	size_t len;
	const char *hashes; /* KeyRecoveryHashes */
	const char *format; /* MSBLOB or PKCS8 */
	int64_t audit; /* of a restored key, else 0: this commit */
};

/*
 * Looks a certificate up.  1 with what is known of its row, 0: not there, -1 with
 * *w.
 */
int store_find(struct store *, const uint8_t sha256[32],
    const struct store_known **, struct reason *w);
/*
 * Looks for a certificate of the CA with the serial number and issuer of this
 * one.  1 with *id; 0: not there; -1 with *w.
 */
int store_find_serial(struct store *, const struct cert *, int64_t *id,
    struct reason *w);
/*
 * Looks n certificates up at once, where to ask for each costs a round trip:
 * what store_find() says of them until the commit.
 */
int store_expect(struct store *, uint8_t (*sha256)[32], size_t n,
    struct reason *w);
/* The RequestID of the next row. */
int store_next_id(struct store *, int64_t *id, struct reason *w);
/* Adds a row; key is NULL if it has none. */
int store_put_row(struct store *, const struct store_row *,
    const struct store_key *key, struct reason *w);
/* Adds the archived key to a row that has none. */
int store_put_key(struct store *, int64_t id, const struct store_key *,
    struct reason *w);

/* Names ----------------------------------------------------------------- */

/* Adds a name; id receives its NameID.  Returns 1, or 0 with *w. */
int store_name_add(struct store *, struct store_name *, struct reason *w);
/*
 * All names of a row, former ones too; its own is the first.  1 with *v, which
 * is borrowed, and *n; 0: no such row; -1 with *w.
 */
int store_names(struct store *, int64_t row, struct store_name **v, size_t *n,
    struct reason *w);
/* The next name behind that NameID, of any row: 1, 0 at the end, -1 with *w. */
int store_next_name(struct store *, int64_t after, struct store_name *,
    struct reason *w);
/* The name with that NameID: 1, 0: there is none, -1 with *w. */
int store_name_get(struct store *, int64_t id, struct store_name *,
    struct reason *w);

/* Later versions of an archived key -------------------------------------- */

/*
 * The agents of the last version of the key of a row, as KeyRecoveryHashes has
 * them, and the commit that wrote it.  1, 0: the row has no key, -1 with *w.
 */
int store_version_of(struct store *, int64_t id, struct text *hashes,
    int64_t *audit, struct reason *w);
/* Adds a version that stands for those before it.  1, 0: it was there, -1 *w. */
int store_version_add(struct store *, int64_t id, const struct store_key *,
    struct reason *w);

/*
 * Puts its SHA-256 in the place of each version of the key of a row that a later
 * one stands for.  The newest, of that commit, must be as it was left.  kept counts
 * those that must stay: kms2ca 0.2 or before wrote them, and without them the
 * digest of their commit could not be checked.  Returns 1, or 0 with *w.
 */
int store_version_drop(struct store *, int64_t id, int64_t newest,
    unsigned *dropped, unsigned *kept, struct reason *w);

/* Faults ---------------------------------------------------------------- */

/* What could not be read.  No pointer is NULL. */
struct store_fault {
	int64_t id;
	struct text source, reason, detail, group, user;
	const char *stream; /* id of the stream, hex, or "" */
	int64_t audit; /* the commit that wrote it */
	/* The row of a key that came later from this source, and the commit
	 * that found it; or 0. */
	int64_t row, cured;
};

/* Adds one, with this commit.  Returns 1, 0: it was there, -1 with *w. */
int store_fault_add(struct store *, const struct store_fault *,
    struct reason *w);
/* Returns 1 if the fault is wanted: by group, user and source. */
int store_fault_wanted(const struct store_fault *, struct query *);
/*
 * Marks as cured the faults of where the keys of this commit came from, but for
 * those of the same stream.  Returns 1, or 0 with *w.
 */
int store_fault_cure(struct store *, struct reason *w);
/* The same of the source of a name that brought the key of a row again. */
int store_fault_cure_name(struct store *, const struct store_name *,
    struct reason *w);
/* The fault that follows that one: 1, 0 at the end, -1 with *w. */
int store_next_fault(struct store *, int64_t after, struct store_fault *,
    struct reason *w);

/* Selecting ------------------------------------------------------------- */

/*
 * Narrows store_count() and store_select() to the rows of now that are wanted.
 * Returns 1, or 0 with *w.
 */
int store_search(struct store *, struct query *, struct reason *w);

/* A row that was selected.  No pointer is NULL. */
struct store_found {
	int64_t id;
	int disposition;
	const char *submitted, *requester, *caller, *ski, *hashes;
	const char *format; /* "" without a key */
	int64_t cert_audit, key_audit; /* the commits that wrote the two */
	struct store_seen seen;
	int64_t name; /* which of its names that is: its own is NAME_OWN */
	const uint8_t *cert, *blob;
	size_t certlen, bloblen; /* bloblen 0 without a key */
};

/* How many rows there are, and the last RequestID, or 0. */
int store_count(struct store *, unsigned long long *rows, int64_t *last,
    struct reason *w);
/* What of a key is read: none of it, its last version, or its first. */
enum store_blobs { STORE_LIST, STORE_LAST, STORE_FIRST };

/* The row that follows RequestID `after'.  1, 0 at the end, -1 with *w. */
int store_select(struct store *, int64_t after, enum store_blobs,
    struct store_found *, struct reason *w);

/*
 * Puts the next name under which the row at hand is wanted in the place of the
 * one that it has: 1, 0 behind the last, -1 with *w.  A former name is none, nor
 * is one of a group and user that the row was given under.
 */
int store_select_name(struct store *, struct store_found *, struct reason *w);

/* The chain ------------------------------------------------------------- */

#define AUDIT_FINDINGS_MAX 1000 /* of one check that are told */

/* Takes a finding: something was changed. */
typedef void store_audit_found(void *ctx, const struct reason *);

/*
 * Checks the schema, the whole chain and that the rows are as their commits
 * wrote them; with a head, that the chain contains it.  Each finding (reason
 * "audit") goes to tell().  *last receives the present head.  Outside of a
 * transaction this is store_hold(), too.  Returns 1; 0 if something was changed;
 * -1 with *w if it cannot be checked.
 */
int store_audit(struct store *, const char *head, char last[AUDIT_HEAD_MAX],
    store_audit_found *tell, void *ctx, struct reason *w);

/* Reads a head as it was printed, in either case.  Returns 1, or 0. */
int store_head(const char *s, char head[AUDIT_HEAD_MAX]);

/* A link of the chain, which is an audit row: what a commit did. */
struct store_commit {
	int64_t id;
	const char *when, *caller, *action, *detail, *digest, *hash;
};

/* The next commit after that number: 1, 0 at the end, -1 with *w. */
int store_next_commit(struct store *, int64_t after, struct store_commit *,
    struct reason *w);
/*
 * Leaves out imports and exports.  What agents and settings came since, and with
 * which commit, store_next_agent() and store_next_setting() tell.
 */
int store_since(struct store *, int64_t after, struct store_commit *,
    struct reason *w);

/* Restoring -------------------------------------------------------------
 *
 * An archive is moved as its commits, settings, agents and rows, each as it
 * stood in the other one: the chain stays what it was.
 */

#define SETTING_NAME_ROOM 64 /* with its NUL */

struct store_setting {
	const char *name;
	uint32_t value;
	const uint8_t *cert; /* len bytes: of CACertificate, without value */
	size_t len;
	int64_t audit;
};

struct store_agent {
	int64_t id, audit;
	const char *added;
	const uint8_t *cert;
	size_t len;
};

/* The next setting or agent after that: 1, 0 at the end, -1 with *w. */
int store_next_setting(struct store *, const char *after,
    struct store_setting *, struct reason *w);
int store_next_agent(struct store *, int64_t after, struct store_agent *,
    struct reason *w);

/* A version of the key of a row, with the commit that wrote it. */
struct store_version {
	int64_t id;
	struct store_key key;
};

/* The version that follows that one: 1, 0 at the end, -1 with *w. */
int store_next_version(struct store *, int64_t id, int64_t audit,
    struct store_version *, struct reason *w);

/*
 * Each adds one to the archive, between store_begin() and restore_end(): 1, 0
 * if it was there, -1 with *w.  A commit must follow from the last, or be the
 * one that is there.
 */
int restore_commit(struct store *, const struct store_commit *,
    struct reason *w);
int restore_setting(struct store *, const struct store_setting *,
    struct reason *w);
int restore_agent(struct store *, const struct store_agent *,
    const struct cert *, struct reason *w);
/* Also 2: the row was there, but the key, which is NULL or not, was not. */
int restore_row(struct store *, const struct store_row *,
    const struct store_key *, struct reason *w);

/* Also 2 with *w: its row is not there. */
int restore_name(struct store *, struct store_name *, struct reason *w);
int restore_fault(struct store *, const struct store_fault *, struct reason *w);

/*
 * Is the one with this id there, and what it should be, as the statement gives
 * it?  1, 0: not there, -1 with *w.
 */
int restore_there(struct store *, enum sql, const char *what, int64_t id,
    const char *same, struct reason *w);

/* Ends the transaction, without a commit of its own; head is that of now. */
int restore_end(struct store *, char head[AUDIT_HEAD_MAX], struct reason *w);

#endif
