#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "base/reason.h"

/*
 * Passwords, from env:VAR, file:PATH, list:PATH, fd:N or tty.  They live in
 * the secure heap; whatever is locked is tried with each, the last that
 * worked first.
 */

#define SECRET_MAX	1024 /* bytes of one password */
#define SECRET_LIST_MAX (1024 * 1024) /* bytes of a list: file */
#define SECRETS_MAX	10000 /* candidates in all */

struct secrets {
	char **v; /* NUL-terminated, UTF-8 or whatever was given */
	size_t n;
	size_t last; /* the one that worked last */
	int worked; /* one of v worked; whoever asks resets it */
	const char *first; /* tried before all others if set; borrowed */
	int twice; /* tty asks twice: something will be locked with it */
};

/*
 * Returns 1, or 0 with *w if spec names a descriptor that is not open: to be
 * told before the tool opens one of its own in its place.
 */
int secret_open(const char *spec, struct reason *w);

/* Adds what spec names.  Returns 1, or 0 with *w. */
int secret_add(struct secrets *, const char *spec, struct reason *w);

/*
 * The i-th candidate in the order to try, i from 0: first if set, the last
 * that worked, the others, the empty password.  NULL behind the last.
 */
const char *secret_try(const struct secrets *, size_t i);

/* Remembers that the i-th of secret_try() worked. */
void secret_worked(struct secrets *, size_t i);

/*
 * Says that none of them opened what; or that none was given.  Returns 0 with
 * *w (reason "password").
 */
int secret_wrong(const struct secrets *, const char *what, struct reason *w);

void secret_free(struct secrets *);

#endif
