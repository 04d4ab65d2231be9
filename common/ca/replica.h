#ifndef CA_REPLICA_H
#define CA_REPLICA_H

#include <openssl/x509.h>

#include "base/reason.h"
#include "base/table.h"
#include "record/write.h"
#include "store/store.h"

/*
 * Copies an archive: ca-load(1) takes the records of ca/dump.h.  No key is
 * opened, and the audit chain stays what it was.
 *
 * Rows of edb-extract(1), of a Windows CA's database, have no chain: they
 * become rows like those of an import, with a commit of their own.
 */

#define REPLICA_LOAD "load" /* action of a commit of a CA's rows */

struct replica {
	struct store *db;
	int64_t last; /* last audit row of the stream; 0: none yet */
	struct table loads; /* numbers of commits of a CA's rows */
	int adopts; /* 1: rows without a chain came */
	char issuer[256]; /* of the first such row */
	unsigned long long nlater; /* agents with them, not taken */
	STACK_OF(X509) *agents; /* of the archive, from the first row on */
	/* how many came */
	unsigned long long ncommits, nsettings, nagents, nnames, nversions,
	    nfaults;
	char head[AUDIT_HEAD_MAX]; /* of the stream */
};

enum replica_status {
	REPLICA_STOP = -1, /* with *w: the archive failed, or is no copy */
	REPLICA_REFUSED, /* with *w */
	REPLICA_PRESENT,
	REPLICA_IMPORTED,
	REPLICA_UPDATED, /* the row was there, its key was not */
	REPLICA_PART /* no row: an audit row, a setting, an agent, a name */
};

/* Returns 1 if replica_record() takes the record. */
int replica_is(const struct rec *);

/*
 * Takes a record, within a transaction; *id becomes that of its row, and
 * *hashes the KeyRecoveryHashes of a row without a chain; caller frees.
 */
enum replica_status replica_record(struct replica *, const struct rec *,
    int64_t *id, char **hashes, struct reason *w);

void replica_free(struct replica *);

#endif
