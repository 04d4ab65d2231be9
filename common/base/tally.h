#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include <stddef.h>

#include "base/text.h"

/* Counters by name: a few for each, and a ceiling on the names. */

#define TALLY_MAX  1000 /* names */
#define TALLY_TEXT 512 /* bytes of a name: what is longer is cut */
#define TALLY_COLS 5

struct tally_row {
	char *name; /* safe to show: see text_vis() */
	unsigned long long v[TALLY_COLS];
};

struct tally {
	struct tally_row *row;
	size_t n;
	struct tally_row others; /* of names past the ceiling */
};

/* The counters of a name.  Valid until the next call. */
unsigned long long *tally_get0(struct tally *, struct text name);
/* Puts the names in order, numbers in them by value. */
void tally_sort(struct tally *);
/* Did names past the ceiling come? */
int tally_more(const struct tally *);
void tally_free(struct tally *);

#endif
