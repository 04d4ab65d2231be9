#ifndef CA_SETTING_H
#define CA_SETTING_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * The CA's settings by their registry names, and certutil -setreg's grammar for
 * their values (windows-ca.md sections 1.8 and 5).
 */

#define KRAF_ENABLEFOREIGN  1
#define SETTING_RECORDS_MAX 1000

/*
 * Returns the canonical spelling of a name (`ca\' in front and case do not
 * count), or NULL with *w.  setting_name0() returns name i, or NULL.
 */
const char *setting_find0(const char *name, struct reason *w);
const char *setting_name0(size_t i);

/*
 * Applies value to old: a number or symbol sets, + and - set and clear bits.
 * Returns 1, or 0 with *w and *v unchanged.
 */
int setting_apply(const char *name, const char *value, uint32_t old,
    uint32_t *v, struct reason *w);

/*
 * Returns the symbol of the i-th bit of a setting, its value in *v; NULL behind
 * the last.  A setting that is a number has none.
 */
const char *setting_bit0(const char *name, size_t i, uint32_t *v);

/*
 * Returns what of v has no effect in kms2ca but is kept as on Windows: bits of
 * KRAFlags, or the value of RoleSeparationEnabled.
 */
uint32_t setting_idle(const char *name, uint32_t v);

/* Writes the symbols of the set bits, separated by blanks.  Returns dst. */
char *setting_symbols(const char *name, uint32_t v, char *dst, size_t size);

#endif
