#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "report/count.h"

/* Writes the page that shows what was counted. */

/* Returns 1 if there is something, and nothing is missing, refused or bad. */
int report_clean(const struct count *);

/* Returns the number of exported keys that no record has in the archive. */
unsigned long long report_gone(const struct count *);

/* Writes the whole page. */
void report_write(FILE *, struct count *);

#endif
