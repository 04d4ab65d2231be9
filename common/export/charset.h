#ifndef EXPORT_CHARSET_H
#define EXPORT_CHARSET_H

#include "base/reason.h"
#include "base/text.h"

/* Converts names in paths from another charset to UTF-8. */

struct charset;

/* Before the sandbox.  Returns NULL with *w if there is no such charset. */
struct charset *charset_new(const char *name, struct reason *w);
void charset_free(struct charset *);

/*
 * Returns the name as UTF-8; unchanged if it is UTF-8 already, or not of the
 * charset, or if that is NULL.  The charset owns it until it is freed.
 */
struct text charset_name(struct charset *, struct text name);

#endif
