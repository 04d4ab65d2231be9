#ifndef EXPORT_CHARSET_H
#define EXPORT_CHARSET_H

#include "base/reason.h"
#include "base/text.h"

/* Names in paths that are not UTF-8, but of another charset. */

struct charset;

/* NULL with *w: no such charset here.  It needs files: before the sandbox. */
struct charset *charset_new(const char *name, struct reason *w);
void charset_free(struct charset *);

/*
 * The name as UTF-8; as it is if it is UTF-8 already, or is not of the charset,
 * which may be NULL.  Borrowed from the charset, until that is freed.
 */
struct text charset_name(struct charset *, struct text name);

#endif
