#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * One HTML page that needs nothing but itself: no script, no request, styles
 * for light, dark and paper.  Text comes in by html_text() only, which nobody's
 * name gets through as markup.
 */

/* The style: report/page.css, which the Makefile compiles as it is. */
extern const char html_css[];

#define HTML_TEXT 512 /* bytes of a text: what is longer is cut, with "..." */

void html_begin(FILE *, const char *title);
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
 * A table.  heads: those of its columns, apart by `|'; after `#' numbers
 * follow, and `-' is one of bars.  wide: it may be wider than a telephone, and then scrolls.
 */
void html_table(FILE *, const char *caption, const char *heads, int wide);
void html_table_end(FILE *);
/* A row, with its head; class may be "". */
void html_row(FILE *, const char *class, const char *s, size_t n);
void html_row_end(FILE *);
void html_cell(FILE *, const char *s, size_t n);
void html_cell_day(FILE *, const char *s, size_t n);
void html_cell_number(FILE *, unsigned long long);
/* A hash or serial number, whose case does not matter. */
void html_cell_code(FILE *, const char *s, size_t n);

#endif
