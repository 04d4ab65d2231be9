#ifndef REPORT_LISTING_H
#define REPORT_LISTING_H

#include <stdio.h>

#include "report/count.h"

/* Tables of single records, from the notes of a census. */

#define LISTING_MAX 1000 /* rows of a list */

struct listing {
	FILE *fp;
	struct count *c;
	/* is it a row?  May name its state, which is the last cell */
	int (*wants)(struct listing *, const struct rec *);
	const char *fields; /* apart by blanks */
	const char *state;
	unsigned long long n;
};

/*
 * A table of the notes that wants() takes: heads as for html_table(), fields
 * apart by blanks, and the state as the last cell, if wants() names one.
 */
void listing(FILE *, struct count *, const char *caption, const char *heads,
    const char *fields, int (*wants)(struct listing *, const struct rec *));

/* What there is to list: exported keys that are not in the archive, ... */
int listing_missing(struct listing *, const struct rec *);
/* certificates whose key is nowhere, */
int listing_lost(struct listing *, const struct rec *);
/* keys that the archive has under another user, */
int listing_other(struct listing *, const struct rec *);
/* records that were refused or bad, */
int listing_refused(struct listing *, const struct rec *);
/* faults: of the export, or of results where there is none, */
int listing_fault(struct listing *, const struct rec *);
/* sealed streams, and agents that ca-init stored. */
int listing_stream(struct listing *, const struct rec *);
int listing_agent(struct listing *, const struct rec *);

#endif
