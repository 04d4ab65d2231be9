#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stddef.h>
#include <stdio.h>

/*
 * Draws charts as inline SVG.  Widths are in percent, so that text keeps its
 * size on a telephone.  A table of the page has the numbers of each chart too.
 */

#define CHART_PARTS 4 /* of a bar, at most */

struct chart_bar {
	const char *class; /* of report/page.css: "ok", "warn" or "bad" */
	const char *label; /* HTML, not escaped */
	unsigned long long v;
};

/*
 * Draws one bar of n labelled parts, which together are the whole.  A part that
 * is not 0 is wide enough to be seen.
 */
void chart_stack(FILE *, const char *title, const struct chart_bar *, size_t n);

/* Draws n columns, for years or the like; first is the number of the first. */
void chart_columns(FILE *, const char *title, const char *what, size_t first,
    const unsigned long long *v, size_t n);

/* Writes a cell with a bar for v; most is the largest number of the column. */
void chart_cell(FILE *, unsigned long long v, unsigned long long most);

#endif
