#ifndef CA_RESULT_H
#define CA_RESULT_H

#include <stdint.h>
#include <stdio.h>

#include "record/stream_read.h"
#include "record/write.h"

/*
 * The `result' records of an import, one for each record read.  They wait in
 * memory until what they say is committed.
 */

enum result_status {
	RESULT_IMPORTED,
	RESULT_UPDATED, /* the row was there, and got its key */
	RESULT_PRESENT,
	RESULT_IGNORED,
	RESULT_REFUSED,
	RESULT_FAULT,
	RESULT_STATUSES
};

struct results {
	int dry; /* -n, set by the caller: nothing is written */
	unsigned waiting; /* results in memory */
	unsigned long long read; /* records */
	unsigned long long n[RESULT_STATUSES]; /* records by status */
	unsigned long long keys; /* imported records that brought a key */
	/* own */
	FILE *mem;
	char *text;
	size_t len;
	struct rec_out *out;
};

/* What came of one record. */
struct result {
	enum result_status status;
	int64_t id; /* RequestID of its row; 0: it has none */
	const char *reason; /* "" if there is nothing to say; borrowed */
	char *
	    hashes; /* KeyRecoveryHashes of a key written now, or NULL; owned */
	char *text; /* memory for the reason, or NULL; owned */
};

/* Frees what the result owns. */
void result_free(struct result *);

void results_start(struct results *);

/*
 * Counts the record at hand of s, says the reason on stderr, and adds the
 * result to those that wait.
 */
void results_add(struct results *, const struct stream_in *s, struct result *);

/* Moves those that wait to stdout.  Output that is lost exits 2. */
void results_release(struct results *);

/* Writes `end' to stdout.  Output that is lost exits 2. */
void results_end(struct results *);

void results_free(struct results *);

#endif
