#ifndef LOCK_PASSFORM_H
#define LOCK_PASSFORM_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"

/* Gives a password in each form that writers of locked files have used. */

/* One form, as a derivation takes it, for passform_wipe(). */
struct passform {
	int has_bmp, has_raw; /* a form may have one, both or neither */
	size_t nbmp, nraw; /* bytes */
	uint8_t bmp[2 * SECRET_MAX + 2]; /* for PKCS#12: UTF-16BE */
	uint8_t raw[2 * SECRET_MAX + 2]; /* for all others */
};

/*
 * Makes form i of a password, from 0: as it is, and as UTF-16 with a
 * terminator; UTF-8 taken as Latin-1, and the reverse; UTF-16 without a
 * terminator, which is nothing for the empty password; raw UTF-16 with a
 * terminator, and without.  Returns 1, or 0 if there is no such form.
 */
int passform_of(struct passform *, const char *pass, int i);
void passform_wipe(struct passform *);

/* Goes through all passwords in their first form, then in their others. */
struct passform_tries {
	struct secrets *secrets; /* set by the caller; all else is 0 */
	const char *pass; /* the password of the last form; borrowed */
	size_t i; /* number of the next one for secret_try() */
	int form; /* the form being tried */
	int more; /* 1 if another form may follow */
};

/* Gives the next form to try.  Returns 1, or 0 behind the last. */
int passform_next(struct passform_tries *t, struct passform *);

/* Remembers that the password of the last form worked. */
void passform_worked(const struct passform_tries *t);

#endif
