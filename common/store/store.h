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
 * The archive of ca-db(5): tables and columns of a Windows CA database.  Unless
 * stated otherwise, a function returns 1, or on failure sets *w (reason
 * "database") and returns 0, or -1 if 0 means something else; and its results
 * are borrowed until the next call.
 */

/* [CertSrv.h] DB_DISP_*: Request.Disposition */
#define DISP_FOREIGN 12
#define DISP_ISSUED  20

/*
 * Names an archive, and requests from the system what it needs outside of the
 * sandbox.  Returns 1, or 0 with *w.
 */
int store_new(struct store **, const char *path, struct reason *w);
/*
 * Opens the archive, with the tables of ca-db(5) and no others: a schema, or a
 * regular file of ours that nobody else can read or write, in a directory that
 * nobody else can write.  *fresh (STORE_CREATE only): it is new and empty, has
 * another name, and is removed by store_close() unless store_publish() came
 * first.  Returns 1, or 0 with *w.
 */
int store_open(struct store *, enum store_mode, int *fresh, struct reason *w);
/*
 * Gives a fresh archive its name, unless that is taken by now.  After that, the
 * archive can only be closed.  Returns 1, or 0 with *w.
 */
int store_publish(struct store *, struct reason *w);
void store_close(struct store *);
/* Returns the directory that it needs, for sandbox_enter(), or NULL. */
const char *store_dir0(const struct store *);

/* Transactions ----------------------------------------------------------
 *
 * Every change is made between store_begin() and store_commit(), which adds a
 * link to the chain: a row of the audit table.
 */
#define AUDIT_HEAD_MAX 96 /* "ID:HEX64" with its NUL */

/*
 * Begins a transaction.  Fails if anything has the number of a commit to come:
 * this one would vouch for it.
 */
int store_begin(struct store *, struct reason *w);
/*
 * Makes all later reads see one moment, even past the commit of a transaction
 * that is open now.  No writer is held up.
 */
int store_hold(struct store *, struct reason *w);
/*
 * Adds the audit row and commits.  Fails, perhaps after the commit, if the
 * archive is no longer at its name.  detail has settings that changed as
 * NAME=VALUE, and the number of added agents as kras=N.  head receives the new
 * head of the chain.
 */
int store_commit(struct store *, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct reason *w);
void store_rollback(struct store *);

/* Settings -------------------------------------------------------------- */

int store_setting_set(struct store *, const char *name, uint32_t v,
    struct reason *w);
/* *v is 0 if there is no such setting. */
int store_setting_get(struct store *, const char *name, uint32_t *v,
    struct reason *w);
/* Stores the CA certificate given to ca-init. */
int store_ca_set(struct store *, const uint8_t *der, size_t n,
    struct reason *w);
/* Gives *ca to the caller; NULL if there is none. */
int store_ca_get(struct store *, X509 **ca, struct reason *w);

/* Key recovery agents --------------------------------------------------- */

/* Returns 1 if it was added, 0 if it was there, -1 with *w. */
int store_agent_add(struct store *, const struct cert *, struct reason *w);
/*
 * Returns 1 if ca-init was forced to take the agent with this SHA-1 (hex),
 * which agent_check() refuses: the detail of its commit has `forced=SHA1'; else
 * 0, or -1 with *w.
 */
int store_agent_forced(struct store *, const char *sha1, struct reason *w);
/* Returns 1 if this SHA-256 is of an agent's certificate, 0, or -1 with *w. */
int store_agent_is(struct store *, const char *sha256, struct reason *w);
/* Returns 1 if the agent with this SHA-1 has left, 0, or -1 with *w. */
int store_agent_left(struct store *, const char *sha1, struct reason *w);
/* Gives all agents in the order in which they came; caller frees the stack. */
int store_agent_all(struct store *, STACK_OF(X509) **, struct reason *w);
/* Gives the number of agents.  Returns 1, or 0 with *w. */
int store_agent_count(struct store *, uint32_t *n, struct reason *w);

/* Rows ------------------------------------------------------------------ */

/* The content of a row.  The caller owns all of it. */
struct store_row {
	const struct cert *cert;
	struct store_seen seen;
	const char *requester, *caller;
	int disposition;
	int64_t id; /* of store_next_id(), or of the row that is restored */
	/* of a restored row; 0 and NULL: this commit, now */
	int64_t audit;
	const char *submitted;
};

/* An archived key.  The caller owns all of it. */
struct store_key {
	const uint8_t *blob; /* CMS EnvelopedData */
	size_t len;
	const char *hashes; /* KeyRecoveryHashes */
	const char *format; /* MSBLOB or PKCS8 */
	int64_t audit; /* of a restored key; 0: this commit */
};

/*
 * Looks a certificate up.  Returns 1 with its row, 0 if there is none, -1 with
 * *w.
 */
int store_find(struct store *, const uint8_t sha256[32],
    const struct store_known **, struct reason *w);
/*
 * Looks for a certificate of the CA with the serial number and issuer of this
 * one.  Returns 1 with *id, 0 if there is none, -1 with *w.
 */
int store_find_serial(struct store *, const struct cert *, int64_t *id,
    struct reason *w);
/*
 * Looks n certificates up at once for later store_find() until the commit, if
 * each question costs a round trip.
 */
int store_expect(struct store *, uint8_t (*sha256)[32], size_t n,
    struct reason *w);
/* Gives the RequestID of the next row. */
int store_next_id(struct store *, int64_t *id, struct reason *w);
/* Adds a row; key may be NULL. */
int store_put_row(struct store *, const struct store_row *,
    const struct store_key *key, struct reason *w);
/* Adds the archived key to a row that has none. */
int store_put_key(struct store *, int64_t id, const struct store_key *,
    struct reason *w);

/* Names ----------------------------------------------------------------- */

/* Adds a name; id receives its NameID.  Returns 1, or 0 with *w. */
int store_name_add(struct store *, struct store_name *, struct reason *w);
/*
 * Gives *n names of a row, its own first, with former ones.  Returns 1 with *v,
 * 0 if there is no such row, -1 with *w.
 */
int store_names(struct store *, int64_t row, struct store_name **v, size_t *n,
    struct reason *w);
/* Gives the name behind a NameID.  Returns 1, 0 at the end, -1 with *w. */
int store_next_name(struct store *, int64_t after, struct store_name *,
    struct reason *w);
/* Gives the name with a NameID.  Returns 1, 0 if there is none, -1 with *w. */
int store_name_get(struct store *, int64_t id, struct store_name *,
    struct reason *w);

/* Later versions of an archived key -------------------------------------- */

/*
 * Gives the agents (KeyRecoveryHashes) of the last version of a row's key, and
 * the commit that wrote it.  Returns 1, 0 if it has no key, -1 with *w.
 */
int store_version_of(struct store *, int64_t id, struct text *hashes,
    int64_t *audit, struct reason *w);
/* Adds a newer version.  Returns 1, 0 if it was there, -1 with *w. */
int store_version_add(struct store *, int64_t id, const struct store_key *,
    struct reason *w);

/*
 * Replaces every version of a row's key but the last by its SHA-256.  The
 * newest, of that commit, must be unaltered.  kept counts those of kms2ca 0.2
 * or before, which stay since the digest of their commit needs them.  Returns
 * 1, or 0 with *w.
 */
int store_version_drop(struct store *, int64_t id, int64_t newest,
    unsigned *dropped, unsigned *kept, struct reason *w);

/* Faults ---------------------------------------------------------------- */

/* A fault: what could not be read.  No pointer is NULL. */
struct store_fault {
	int64_t id;
	struct text source, reason, detail, group, user;
	const char *stream; /* id of the stream, hex, or "" */
	int64_t audit; /* the commit that wrote it */
	/* Row and commit of a later key from this source, or 0. */
	int64_t row, cured;
};

/* Adds a fault, with this commit.  Returns 1, 0 if it was there, -1 with *w. */
int store_fault_add(struct store *, const struct store_fault *,
    struct reason *w);
/* Returns 1 if the query wants the fault: by group, user and source. */
int store_fault_wanted(const struct store_fault *, struct query *);
/*
 * Marks faults of the sources of this commit's keys as cured, but for those of
 * the same stream.  Returns 1, or 0 with *w.
 */
int store_fault_cure(struct store *, struct reason *w);
/* Marks those of the source of a name that brought a row's key again. */
int store_fault_cure_name(struct store *, const struct store_name *,
    struct reason *w);
/* Gives the fault behind that id.  Returns 1, 0 at the end, -1 with *w. */
int store_next_fault(struct store *, int64_t after, struct store_fault *,
    struct reason *w);

/* Selecting ------------------------------------------------------------- */

/*
 * Limits store_count() and store_select() to the wanted ones of the present
 * rows.  Returns 1, or 0 with *w.
 */
int store_search(struct store *, struct query *, struct reason *w);

/* A selected row.  No pointer is NULL. */
struct store_found {
	int64_t id;
	int disposition;
	const char *submitted, *requester, *caller, *ski, *hashes;
	const char *format; /* "" without a key */
	int64_t cert_audit, key_audit; /* the commits that wrote both */
	struct store_seen seen;
	int64_t name; /* NameID of that name, or NAME_OWN */
	const uint8_t *cert, *blob;
	size_t certlen, bloblen; /* bloblen 0 without a key */
};

/* Gives the number of rows, and the last RequestID, or 0. */
int store_count(struct store *, unsigned long long *rows, int64_t *last,
    struct reason *w);
/* What is read of a key: nothing, its last version, or its first. */
enum store_blobs { STORE_LIST, STORE_LAST, STORE_FIRST };

/* Gives the row behind a RequestID.  Returns 1, 0 at the end, -1 with *w. */
int store_select(struct store *, int64_t after, enum store_blobs,
    struct store_found *, struct reason *w);

/*
 * Replaces the name of the row at hand by the next wanted one, skipping former
 * names and groups and users that the row was given under.  Returns 1, 0 behind
 * the last, -1 with *w.
 */
int store_select_name(struct store *, struct store_found *, struct reason *w);

/* The chain ------------------------------------------------------------- */

#define AUDIT_FINDINGS_MAX 1000 /* of one check that are reported */

/* Takes a finding: something was changed. */
typedef void store_audit_found(void *ctx, const struct reason *);

/*
 * Checks the schema, the whole chain, and that rows are as their commits wrote
 * them; with a head, that the chain contains it.  tell() gets each finding
 * (reason "audit"); *last the present head.  Does as store_hold() unless in a
 * transaction.  Returns 1, 0 if something was changed, -1 with *w if it cannot
 * be checked.
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

/* Gives the commit behind a number.  Returns 1, 0 at the end, -1 with *w. */
int store_next_commit(struct store *, int64_t after, struct store_commit *,
    struct reason *w);
/*
 * Gives the next commit that is no import or export.  store_next_agent() and
 * store_next_setting() tell the agents and settings of each commit.
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

/* Each gives the one behind `after'.  Returns 1, 0 at the end, -1 with *w. */
int store_next_setting(struct store *, const char *after,
    struct store_setting *, struct reason *w);
int store_next_agent(struct store *, int64_t after, struct store_agent *,
    struct reason *w);

/* A version of a row's key, with the commit that wrote it. */
struct store_version {
	int64_t id;
	struct store_key key;
};

/* Gives the next version.  Returns 1, 0 at the end, -1 with *w. */
int store_next_version(struct store *, int64_t id, int64_t audit,
    struct store_version *, struct reason *w);

/*
 * Each adds one to the archive, between store_begin() and restore_end().
 * Returns 1, 0 if it was there, -1 with *w.  A commit must follow the last one,
 * or be there already.
 */
int restore_commit(struct store *, const struct store_commit *,
    struct reason *w);
int restore_setting(struct store *, const struct store_setting *,
    struct reason *w);
int restore_agent(struct store *, const struct store_agent *,
    const struct cert *, struct reason *w);
/* Also returns 2 if it added only the key, which may be NULL. */
int restore_row(struct store *, const struct store_row *,
    const struct store_key *, struct reason *w);

/* Also returns 2 with *w if its row is not there. */
int restore_name(struct store *, struct store_name *, struct reason *w);
int restore_fault(struct store *, const struct store_fault *, struct reason *w);

/*
 * Returns 1 if the one with this id is there and the statement gives `same', 0
 * if it is not there, -1 with *w.
 */
int restore_there(struct store *, enum sql, const char *what, int64_t id,
    const char *same, struct reason *w);

/* Ends the transaction without a commit of its own; head gets the head. */
int restore_end(struct store *, char head[AUDIT_HEAD_MAX], struct reason *w);

#endif
