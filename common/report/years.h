#ifndef REPORT_YEARS_H
#define REPORT_YEARS_H

#include <stddef.h>

/* Counts how many certificates begin, end and are valid in each year. */

#define YEARS_SHOWN 40

struct years {
	struct years_of {
		unsigned long long from, to;
	} * of; /* by year, 0 to 9999 */
	unsigned long long n, undated;
};

/* Exits 2 when memory is full. */
void years_init(struct years *);
void years_free(struct years *);

/* Adds a certificate, dated if both times are like 2004-01-19T10:00:00Z. */
void years_add(struct years *, const char *from, size_t nfrom, const char *to,
    size_t nto);

/*
 * Gives the years to show: all from first to last or, if those are too many
 * (*cut), the YEARS_SHOWN in which most begin.  Returns their number, or 0.
 */
size_t years_range(const struct years *, size_t *first, int *cut);

/* Returns how many were valid at some time in this year. */
unsigned long long years_valid(const struct years *, size_t year);

#endif
