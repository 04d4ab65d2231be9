#ifndef CA_CERTUTIL_VIEW_H
#define CA_CERTUTIL_VIEW_H

#include <stdint.h>

#include "store/store.h"

/*
 * Prints settings and rows on stderr as certutil does (windows-ca.md sections
 * 1.8 and 1.9).
 */

/* Prints as -getreg, or -setreg if set; with all, also bits that are clear. */
void certutil_view_setting(const char *name, uint32_t old, uint32_t new,
    int set, int all);

/* Print as -view: the schema, row number n from 1, and the end. */
void certutil_view_schema(void);
void certutil_view_row(const struct store_found *, unsigned long long n);
void certutil_view_end(int64_t last, unsigned long long rows);

#endif
