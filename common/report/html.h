#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * One HTML page that needs nothing but itself: no script, no request, styles
 * for light, dark and paper.  Names come in by html_text() and html_cell() only,
 * which no name gets through as markup.
 */

#define HTML_TEXT 512 /* bytes of a text: what is longer is cut, with "..." */

/* The style: report/page.css, which the Makefile compiles as it is. */
extern const char html_css[];

enum html_kind { /* of a cell */
	HTML_NAME, /* text */
	HTML_DAY, /* a time, of which the day is shown */
	HTML_CODE, /* hash or serial number, whose case does not matter */
	HTML_NUMBER /* right-aligned */
};

/* foot: stands below each printed page; no name goes there. */
void html_begin(FILE *, const char *title, const char *foot);
void html_end(FILE *);

/* Text of n bytes, whatever they are; of none, a dash. */
void html_text(FILE *, const char *s, size_t n);
/* 1234567 as 1,234,567 */
void html_number(FILE *, unsigned long long);
void html_hex(FILE *, const uint8_t *, size_t);

/* A section with a heading; id names both. */
void html_section(FILE *, const char *id, const char *heading);
void html_section_end(FILE *);

/*
 * A table.  heads: those of its columns, apart by `|'; from the first with a `#'
 * on they are of numbers, and `-' is one of bars.  wide: on a telephone it scrolls.
 * A table with an id ends in html_csv_end(), one without in html_table_end().
 */
void html_table(FILE *, const char *id, const char *caption, const char *heads,
    int wide);
void html_table_end(FILE *);
/* A row begins with its head; class may be "". */
void html_row(FILE *, const char *class, const char *s, size_t n);
void html_row_end(FILE *);
void html_cell(FILE *, enum html_kind, const char *s, size_t n);
void html_cell_number(FILE *, unsigned long long);

/* Ends the rows, with a link that saves a file, NAME.csv, for html_csv() to fill. */
void html_csv_begin(FILE *, const char *name);
/* A value of the file, the first of its line or another; the line ends. */
void html_csv(FILE *, const char *s, size_t n, int first);
void html_csv_row_end(FILE *);
/* Ends the table.  The link says the name and how many rows the file has. */
void html_csv_end(FILE *, const char *name, unsigned long long lines);

#endif
