#ifndef PROOF_VERDICT_H
#define PROOF_VERDICT_H

#include "record/rec.h"
#include "record/write.h"

/* Writes `verdict' records: what was found out about another record. */

struct verdict {
	unsigned long long n; /* number of the record */
	const char *status; /* "ok", "bad", "fault" or "none" */
	const char *reason; /* NULL: the one that the record has */
	/* SHA-1 of the agent that the verdict on a row is about, or NULL */
	const char *kra;
};

/*
 * Writes the verdict on a record, which is NULL if it has neither user nor
 * thumbprint.  Exits 2 if output is lost.
 */
void verdict_put(struct rec_out *, const struct rec *, const struct verdict *);

#endif
