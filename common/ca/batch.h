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
 * Imports in batches: one commit, and then its results.  Records that can be
 * proven apart wait until a batch of them meets the archive, so that no other
 * importer waits for our cryptography; others are written as they come.
 */

#define BATCH_RECORDS 1000 /* of one commit at most */
#define BATCH_BYTES   (8 * 1024 * 1024) /* of the records that wait */

struct batch {
	/* set by the tool */
	struct import *import;
	struct results *results;
	/* private */
	int open; /* 1: in a transaction */
	unsigned long long line; /* of the last record that was written */
	struct timespec since; /* when the batch got its first record */
	struct held *held[BATCH_RECORDS]; /* nheld of them, size bytes in all */
	size_t nheld, size;
};

/*
 * Takes the record at hand of s; bad and answer are those of
 * import_candidate().  Returns 1, or 0 with *w if the import must stop.
 */
int batch_record(struct batch *, const struct stream_in *, int bad,
    struct wire *answer, struct reason *w);

/*
 * Returns 1 if results should wait no longer: a second has passed, or no record
 * can be had soon, and none is on its way (busy).
 */
int batch_due(const struct batch *, struct rec_in *, int busy);

/* Commits the batch and writes its results.  Returns 1, or 0 with *w. */
int batch_commit(struct batch *, struct reason *w);

#endif
