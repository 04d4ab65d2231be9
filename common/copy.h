#ifndef COPY_H
#define COPY_H

#include <openssl/x509.h>

#include "db.h"
#include "rec.h"
#include "why.h"

/*
 * From archive to archive: the records that ca-export -a writes and ca-import
 * takes.  No key is opened, and the audit chain stays what it was.
 */

/* Writing --------------------------------------------------------------- */

/*
 * Writes the audit rows, the settings and the agents.  Output that is lost
 * exits 2.  Returns 1, or 0 with *w.
 */
int copy_head(struct db *, struct rec_out *, struct why *w);

/* Reading --------------------------------------------------------------- */

struct copy {
	struct db *db;
	int64_t last; /* audit row of the stream, 0: none came yet */
	STACK_OF(X509) *kras; /* of the archive, once the first row came */
	unsigned long long events, settings, agents; /* that came */
	char head[AUDIT_HEAD_MAX]; /* of the stream */
};

enum copy_status {
	COPY_STOP = -1, /* with *w: the archive fails, or is no copy */
	COPY_REFUSED, /* with *w */
	COPY_PRESENT,
	COPY_IMPORTED,
	COPY_UPDATED, /* the row was there, its key was not */
	COPY_PART /* no row: an audit row, a setting, an agent */
};

/* Is the record one of those? */
int copy_is(const struct rec *);

/* Takes one, within a transaction; *id is that of a row. */
enum copy_status copy_record(struct copy *, const struct rec *, int64_t *id,
    struct why *w);

void copy_free(struct copy *);

#endif
