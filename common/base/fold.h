#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/text.h"

/*
 * Compares names as people read them.  The locale must be a UTF-8 one, as
 * tool_start() sets it.
 */

/*
 * Returns 1 if the texts differ at most in the case of letters, of any script;
 * else 0.  An ASCII letter equals no letter outside ASCII.  A byte that is not
 * UTF-8 equals only itself.
 */
int fold_same(struct text, struct text);

/*
 * Returns 1 if the texts are equal and not empty, or one begins with the other
 * and the shorter has at least three characters; else 0.  Case, accents and
 * wildcards do not count.  A byte that is not UTF-8 is taken as Latin-1.
 */
int fold_near(struct text, struct text);

#endif
