#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stddef.h>
#include <stdio.h>

/*
 * Charts as inline SVG.  Widths are in percent, so that text keeps its size on a
 * telephone.  What a chart shows stands in a table of the page too.
 */

#define CHART_PARTS 4 /* of a bar, at most */

struct chart_bar {
	const char *class; /* of report/page.css: "ok", "warn" or "bad" */
	const char *label; /* written as it is */
	unsigned long long v;
};

/*
 * One bar of n parts, which together are the whole, with their labels.  A part
 * that is not 0 is wide enough to be seen.
 */
void chart_stack(FILE *, const char *title, const struct chart_bar *, size_t n);

/* Columns for n years or the like; first is the number of the first. */
void chart_columns(FILE *, const char *title, const char *what, size_t first,
    const unsigned long long *v, size_t n);

/* A cell with a bar, for a number v of a column whose largest is most. */
void chart_cell(FILE *, unsigned long long v, unsigned long long most);

#endif
