#ifndef CA_RESULT_H
#define CA_RESULT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "record/stream_read.h"
#include "record/write.h"
#include "store/store.h"

/*
 * Writes the `result' records of an import, one for each record read.  They
 * wait in memory until their rows are committed.
 */

enum result_status {
	RESULT_IMPORTED,
	RESULT_UPDATED, /* an existing row got its key */
	RESULT_PRESENT,
	RESULT_IGNORED,
	RESULT_REFUSED,
	RESULT_FAULT,
	RESULT_STATUSES
};

struct result_counts {
	unsigned long long read; /* records */
	unsigned long long n[RESULT_STATUSES]; /* records by status */
	unsigned long long keys; /* imported records with a key */
	unsigned long long names; /* names added to rows */
	unsigned long long dropped; /* dropped versions of keys */
};

struct results {
	/* set by the caller */
	int dry; /* -n: nothing is written */
	const char *note; /* a line for the summary, or NULL */
	char head[AUDIT_HEAD_MAX]; /* of the last commit, or "" */
	/* private */
	unsigned waiting; /* results that wait */
	struct result_counts now, done; /* all records; committed ones */
	pid_t pid; /* of the starter; its forks print nothing at exit */
	FILE *mem;
	char *text;
	size_t len;
	struct rec_out *out;
};

/* The result of one record. */
struct result {
	enum result_status status;
	int64_t id; /* RequestID of its row, or 0 */
	int named; /* 1: its row got one more name */
	const char *reason; /* or ""; borrowed */
	char *hashes; /* KeyRecoveryHashes of a new key, or NULL; owned */
	char *text; /* memory of the reason, or NULL; owned */
};

/* Frees what the result owns. */
void result_free(struct result *);

/*
 * Starts.  From now on, any exit prints the summary if something was committed.
 */
void results_start(struct results *);

/*
 * Counts the record at hand of s, prints the reason on stderr, and adds the
 * result to those that wait.
 */
void results_add(struct results *, const struct stream_in *s, struct result *);

/*
 * Writes the results that wait, which are committed, to stdout.  Exits 2 if
 * output is lost.
 */
void results_release(struct results *);

/*
 * Prints on stderr how many records were read, the results of those committed,
 * and the audit head; only once.
 */
void results_summary(struct results *);

/* Writes `end' to stdout.  Exits 2 if output is lost. */
void results_end(struct results *);

void results_free(struct results *);

#endif
