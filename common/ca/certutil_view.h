#ifndef CA_CERTUTIL_VIEW_H
#define CA_CERTUTIL_VIEW_H

#include <stdint.h>

#include "store/store.h"

/*
 * Settings and rows as certutil shows them, on stderr (windows-ca.md sections
 * 1.8 and 1.9).
 */

/* -getreg, or -setreg if set; with all, bits that are not set too. */
void certutil_view_setting(const char *name, uint32_t old, uint32_t new,
    int set, int all);

/* -view: the schema, then a row, the how manieth from 1; then the end. */
void certutil_view_schema(void);
void certutil_view_row(const struct store_found *, unsigned long long n);
void certutil_view_end(int64_t last, unsigned long long rows);

#endif
