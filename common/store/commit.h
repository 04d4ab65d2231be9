#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include "store/driver.h"

/*
 * Makes the links of the chain, which is the audit table: ca-db(5) says what
 * Digest and Hash are over.
 */

/* What a commit wrote: how many of each, and their Digest. */
struct commit_wrote {
	unsigned long long certs, keys, versions, names, faults, cures, agents,
	    ca;
	char digest[65];
};

/* How the commit is looked at. */
enum commit_look {
	COMMIT_NOW, /* before it is done */
	COMMIT_DONE,
	COMMIT_OLD /* as kms2ca 0.2 and before: whole keys */
};

/*
 * Counts and hashes what commit number audit wrote.  Returns 1, or 0 with *w.
 */
int commit_wrote(struct store *, enum commit_look, int64_t audit,
    struct commit_wrote *, struct reason *w);

/*
 * Puts the Hash over that of the commit before and six fields, AuditID to
 * Digest, in hex.  Returns 1, or 0 if memory is full.
 */
int commit_chain(const char *before, const char *const field[6], char hex[65]);

/* Ends the transaction of store_begin() as it is.  Returns 1, or 0 with *w. */
int commit_end(struct store *, struct reason *w);

#endif
