#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "base/reason.h"

/*
 * Passwords from env:VAR, file:PATH, list:PATH, fd:N or tty, kept in the secure
 * heap.  All of them are tried on whatever is locked, in the order of
 * secret_try().
 */

#define SECRET_MAX	1024 /* bytes of one password */
#define SECRET_LIST_MAX (1024 * 1024) /* bytes of a list: file */
#define SECRETS_MAX	10000 /* candidates in all */
#define SECRET_TRIES	3 /* of somebody at a terminal, for one file */

struct secrets {
	char **v; /* NUL-terminated, UTF-8 or whatever was given */
	size_t n; /* their number */
	size_t room; /* for how many there is room */
	size_t last; /* index of the one that worked last */
	int worked; /* set when one of v works; the caller clears it */
	const char *first; /* one more, to try before all others; borrowed */
	int twice; /* tty asks twice, for a password that will lock something */
	const char *of; /* the file that tty asks for; borrowed, or NULL */
	int asked; /* how often it did */
	size_t typed; /* index of what was typed */
};

/*
 * Comes before the tool opens files, which might get the number of a descriptor
 * that the user forgot to open.  Returns 1, or 0 with *w if spec names one that
 * is not open.
 */
int secret_open(const char *spec, struct reason *w);

/* Adds the password or passwords that spec names.  Returns 1, or 0 with *w. */
int secret_add(struct secrets *, const char *spec, struct reason *w);

/*
 * The file `of' does not open, as *w says.  Asks at the terminal for another
 * password, which takes the place of the one that was typed.  Returns 1, or 0 if
 * nobody is to be asked, or has had SECRET_TRIES tries.  The turn at the terminal
 * is kept from the first question to secret_done().
 */
int secret_again(struct secrets *, const struct reason *w);

/* The file `of' is open, or given up: whoever waits for the terminal asks. */
void secret_done(void);

/*
 * Returns the password to try in turn i, from 0: `first' if it is set, then the
 * one that worked last, the others, the empty one; NULL after these.  The list
 * owns it.
 */
const char *secret_try(const struct secrets *, size_t i);

/* Remembers that what secret_try() returned for i worked. */
void secret_worked(struct secrets *, size_t i);

/*
 * Sets *w, reason "password", to say that no password opened `what', or that
 * none was given.  Returns 0.
 */
int secret_wrong(const struct secrets *, const char *what, struct reason *w);

/* Wipes and frees the passwords, those of the environment too. */
void secret_free(struct secrets *);

#endif
