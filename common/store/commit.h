#ifndef STORE_COMMIT_H
#define STORE_COMMIT_H

#include "store/driver.h"

/*
 * The links of the chain, which the audit table holds: ca-db(5) says what Digest
 * and Hash are over.
 */

/* What a commit wrote: how many of each, and the Digest of it all. */
struct commit_wrote {
	unsigned long long certs, keys, names, agents, ca;
	char digest[65];
};

/*
 * Looks at what the commit with this number wrote.  `key' is how to read its
 * keys: WROTE_KEY, or WROTE_KEY_NOW before the commit is done.  Returns 1, or 0
 * with *w.
 */
int commit_wrote(struct store *, enum sql key, int64_t audit,
    struct commit_wrote *, struct reason *w);

/*
 * Hash over that of the commit before and six fields, AuditID to Digest.
 * Returns 1, or 0 when out of memory.
 */
int commit_chain(const char *before, const char *const field[6], char hex[65]);

/* Ends the transaction of store_begin() as it is.  Returns 1, or 0 with *w. */
int commit_end(struct store *, struct reason *w);

#endif
