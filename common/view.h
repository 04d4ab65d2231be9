#ifndef VIEW_H
#define VIEW_H

#include <stdint.h>

#include "db.h"

/*
 * Settings and rows as certutil shows them, on stderr (windows-ca.md sections
 * 1.8 and 1.9).
 */

/* -getreg, or -setreg if set; with all, bits that are not set too. */
void view_setting(const char *name, uint32_t old, uint32_t new, int set,
    int all);

/* -view: the schema, then a row, the how manieth from 1; then the end. */
void view_schema(void);
void view_row(const struct db_found *, unsigned long long n);
void view_end(int64_t last, unsigned long long rows);

#endif
