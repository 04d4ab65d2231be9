#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "report/count.h"

/* The page that shows a census. */

/* Is nothing missing, refused, bad or unclear, and is there anything? */
int report_clean(const struct count *);

void report_write(FILE *, struct count *);

#endif
