#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stddef.h>
#include <stdio.h>

/*
 * Charts as inline SVG: widths are in percent, so that text keeps its size on a
 * telephone.  What they show stands in a table too.
 */

struct chart_bar {
	const char *class; /* of the style in report/html.c: "ok", "bad", ... */
	const char *label; /* written as it is */
	unsigned long long v;
};

/* One bar of several parts, which together are the whole, and their key. */
void chart_stack(FILE *, const char *title, const struct chart_bar *, size_t n);

/* Columns, n of them, such as years: the label of the first, and on from it. */
void chart_columns(FILE *, const char *title, const char *what, size_t first,
    const unsigned long long *v, size_t n);

/* A cell with a bar, for a number that stands in its row. */
void chart_cell(FILE *, unsigned long long v, unsigned long long most);

#endif
