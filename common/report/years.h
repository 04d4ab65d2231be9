#ifndef REPORT_YEARS_H
#define REPORT_YEARS_H

#include <stddef.h>

/* How many certificates begin, end and are valid in each year. */

#define YEARS_SHOWN 40

struct years {
	struct years_of {
		unsigned long long from, to;
	} * of; /* by year, 0 to 9999 */
	unsigned long long n, undated;
};

/* Out of memory exits 2. */
void years_init(struct years *);
void years_free(struct years *);

/* Adds one, of n bytes each like 2004-01-19T10:00:00Z; else it is undated. */
void years_add(struct years *, const char *from, size_t nfrom, const char *to,
    size_t nto);

/*
 * The years to show: from the first to the last of any, or of YEARS_SHOWN
 * those in which most begin.  Returns how many, 0 if there are none.
 */
size_t years_range(const struct years *, size_t *first, int *cut);

/* Those valid at some time in this year. */
unsigned long long years_valid(const struct years *, size_t year);

#endif
