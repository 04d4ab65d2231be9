#ifndef CA_RESULT_H
#define CA_RESULT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "record/stream_read.h"
#include "record/write.h"
#include "store/store.h"

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

struct result_counts {
	unsigned long long read; /* records */
	unsigned long long n[RESULT_STATUSES]; /* records by status */
	unsigned long long keys; /* imported records that brought a key */
	unsigned long long names; /* that were added to rows */
	unsigned long long dropped; /* older versions of keys */
};

struct results {
	/* set by the caller */
	int dry; /* -n: nothing is written */
	const char *note; /* a line for the summary, or NULL */
	char head[AUDIT_HEAD_MAX]; /* of the last commit, or "" */
	/* own */
	unsigned waiting; /* results in memory */
	struct result_counts now, done; /* all records; those committed */
	pid_t pid; /* of who started; its forks say nothing at exit */
	FILE *mem;
	char *text;
	size_t len;
	struct rec_out *out;
};

/* What came of one record. */
struct result {
	enum result_status status;
	int64_t id; /* RequestID of its row; 0: it has none */
	int named; /* the row has one more name */
	const char *reason; /* "" if there is nothing to say; borrowed */
	char *
	    hashes; /* KeyRecoveryHashes of a key written now, or NULL; owned */
	char *text; /* memory for the reason, or NULL; owned */
};

/* Frees what the result owns. */
void result_free(struct result *);

/*
 * Starts.  From now on the tool does not exit without the summary if something
 * was committed.
 */
void results_start(struct results *);

/*
 * Counts the record at hand of s, says the reason on stderr, and adds the
 * result to those that wait.
 */
void results_add(struct results *, const struct stream_in *s, struct result *);

/*
 * Moves those that wait to stdout: they are committed.  Output that is lost exits
 * 2.
 */
void results_release(struct results *);

/*
 * Says on stderr how many records were read, what came of those committed, and
 * the audit head; does so once.
 */
void results_summary(struct results *);

/* Writes `end' to stdout.  Output that is lost exits 2. */
void results_end(struct results *);

void results_free(struct results *);

#endif
