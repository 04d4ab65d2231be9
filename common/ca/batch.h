#ifndef CA_BATCH_H
#define CA_BATCH_H

#include <stddef.h>
#include <time.h>

#include "base/reason.h"
#include "base/wire.h"
#include "ca/import.h"
#include "ca/result.h"
#include "record/read.h"
#include "record/stream_read.h"

/*
 * An import in batches: one commit, and then its results.  Records that can be
 * proven apart are held back until a batch of them meets the archive, so that
 * no other importer waits for our cryptography; the others are written as they
 * come.
 */

#define BATCH_RECORDS 1000 /* of one commit at most, */
#define BATCH_BYTES   (8 * 1024 * 1024) /* or of those held back */

struct batch {
	/* set by the tool */
	struct import *import;
	struct results *results;
	/* own */
	int open; /* a transaction is */
	unsigned long long line; /* of the record that met the archive last */
	struct timespec since; /* when the batch got its first record */
	struct held *held[BATCH_RECORDS]; /* nheld records, size bytes */
	size_t nheld, size;
};

/*
 * Takes the record at hand of s; bad and answer are those of
 * import_candidate().  Returns 1, or 0 with *w when the import must stop.
 */
int batch_record(struct batch *, const struct stream_in *, int bad,
    struct wire *answer, struct reason *w);

/*
 * Returns 1 when results should wait no longer: a second has passed, or no
 * record can be had soon, and none is on its way (busy).
 */
int batch_due(const struct batch *, struct rec_in *, int busy);

/* Commits what there is and writes its results.  Returns 1, or 0 with *w. */
int batch_commit(struct batch *, struct reason *w);

#endif
