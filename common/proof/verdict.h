#ifndef PROOF_VERDICT_H
#define PROOF_VERDICT_H

#include "record/rec.h"
#include "record/write.h"

/* The `verdict' record: what was found out about another record. */

struct verdict {
	unsigned long long n; /* of the record */
	const char *status; /* ok, bad, fault or none */
	const char *reason; /* NULL: that which the record has */
	/* Of a row, and the agent of which it tells: SHA-1; else NULL. */
	const char *kra;
};

/*
 * Writes the verdict on a record, which is NULL if it has neither user nor
 * thumbprint.  Lost output exits 2.
 */
void verdict_put(struct rec_out *, const struct rec *, const struct verdict *);

#endif
