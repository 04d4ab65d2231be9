#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include "base/table.h"
#include "base/text.h"

/* Counts by name: a few counters for each name, and a ceiling on the names. */

#define TALLY_MAX  1000 /* names */
#define TALLY_TEXT TABLE_NAME /* bytes of a name; a longer one is cut */
#define TALLY_COLS 5 /* counters of a name */

struct tally_row {
	char name[TALLY_TEXT]; /* safe to show: see text_vis() */
	unsigned long long v[TALLY_COLS];
};

/* An empty one is all 0. */
struct tally {
	struct table names; /* of struct tally_row */
	struct tally_row others; /* for all names past the ceiling */
};

/* Returns the counters of a name.  They stay valid until the next call. */
unsigned long long *tally_get0(struct tally *, struct text name);

/*
 * Sorts the names, numbers in them by value.  No name may be looked up
 * afterwards.
 */
void tally_sort(struct tally *);

/* Returns the number of rows, with that of all other names if it has any. */
size_t tally_rows(const struct tally *);

/* Returns row i, from 0. */
const struct tally_row *tally_row0(const struct tally *, size_t i);

void tally_free(struct tally *);

#endif
