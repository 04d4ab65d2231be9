#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Writes an HTML page that needs nothing but itself: no script, no request,
 * styles for light, dark and paper.  Names come in only by functions that take
 * n bytes, which let no markup through.
 */

#define HTML_TEXT 512 /* bytes of a text; a longer one is cut, with "..." */

/* The style: report/page.css, which the Makefile compiles as it is. */
extern const char html_css[];

enum html_kind { /* of a cell */
	HTML_NAME, /* text */
	HTML_DAY, /* a time, of which the day is shown */
	HTML_CODE, /* hash or serial number, whose case does not matter */
	HTML_NUMBER /* right-aligned */
};

/* Begins the page.  foot is below each printed page; no name goes there. */
void html_begin(FILE *, const char *title, const char *foot);
void html_end(FILE *);

/* Writes n bytes of any text; a dash for none. */
void html_text(FILE *, const char *s, size_t n);
/* Writes 1234567 as 1,234,567. */
void html_number(FILE *, unsigned long long);
void html_hex(FILE *, const uint8_t *, size_t);

/* Begins a section with a heading; id names both. */
void html_section(FILE *, const char *id, const char *heading);
void html_section_end(FILE *);

/*
 * Begins a table.  heads: those of columns, separated by `|'; from the first
 * with a `#' on they have numbers, and `-' has bars.  A wide table scrolls on a
 * telephone.  html_csv_end() ends a table with an id, html_table_end() one
 * without.
 */
void html_table(FILE *, const char *id, const char *caption, const char *heads,
    int wide);
void html_table_end(FILE *);
/* Begins a row with its head; class may be "". */
void html_row(FILE *, const char *class, const char *s, size_t n);
void html_row_end(FILE *);
void html_cell(FILE *, enum html_kind, const char *s, size_t n);
void html_cell_number(FILE *, unsigned long long);

/* Ends the rows, with a link to save NAME.csv, which html_csv() fills. */
void html_csv_begin(FILE *, const char *name);
/* Write a value of the file, the first of its line or not; end the line. */
void html_csv(FILE *, const char *s, size_t n, int first);
void html_csv_row_end(FILE *);
/* Ends the table.  The link has the name and how many rows the file has. */
void html_csv_end(FILE *, const char *name, unsigned long long lines);

#endif
