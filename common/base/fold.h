#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/text.h"

/*
 * Names compared as people read them.  The locale must be one of UTF-8, as
 * tool_start() sets it.
 */

/*
 * Returns 1 if the texts are the same but for the case of letters, of any
 * script; else 0.  No letter of ASCII is one that is not.  A byte that is not
 * UTF-8 is only itself.
 */
int fold_same(struct text, struct text);

/*
 * Returns 1 if one of the texts begins with the other, which has three
 * characters at least, or if they are of one length; else 0.  Beside the case,
 * accents do not count, nor do wildcards.  A byte that is not UTF-8 is taken as
 * Latin-1.
 */
int fold_near(struct text, struct text);

#endif
