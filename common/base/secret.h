#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#include "base/reason.h"

/*
 * Passwords from env:VAR, file:PATH, list:PATH, fd:N or tty, kept in the secure
 * heap.  Each is tried on whatever is locked, in the order of secret_try().
 */

#define SECRET_MAX	1024 /* bytes of one password */
#define SECRET_LIST_MAX (1024 * 1024) /* bytes of a list: file */
#define SECRETS_MAX	10000 /* passwords in all */
#define SECRET_TRIES	3 /* questions at a terminal about one file */

struct secrets {
	char **v; /* NUL-terminated, UTF-8 or whatever was given */
	size_t n; /* their number */
	size_t room; /* entries that v has room for */
	size_t last; /* index of the one that worked last */
	int worked; /* set when one of v works; cleared by the caller */
	const char *first; /* tried before all others; borrowed, or NULL */
	int twice; /* 1: tty asks twice: the password will lock something */
	const char *of; /* the file that tty asks for; borrowed, or NULL */
	int asked; /* how often tty has asked */
	size_t typed; /* index in v of the password that was typed */
};

/*
 * Checks a descriptor that spec names.  Must come before the tool opens files,
 * which might get the number of one that the user forgot to open.  Returns 1,
 * or 0 with *w if it is not open.
 */
int secret_open(const char *spec, struct reason *w);

/* Adds the password or passwords that spec names.  Returns 1, or 0 with *w. */
int secret_add(struct secrets *, const char *spec, struct reason *w);

/*
 * Asks at the terminal for another password, since the file `of' does not open,
 * as *w says; replaces the one that was typed.  Returns 1, or 0 if it may not
 * ask, or has asked SECRET_TRIES times.  Other tools wait for the terminal from
 * the first question to secret_done().
 */
int secret_again(struct secrets *, const struct reason *w);

/* Lets other tools ask at the terminal: `of' is open, or given up. */
void secret_done(void);

/*
 * Returns the password to try in turn i, from 0: `first' if it is set, the one
 * that worked last, the others, the empty one; then NULL.  The list owns it.
 */
const char *secret_try(const struct secrets *, size_t i);

/* Remembers that the password of turn i worked. */
void secret_worked(struct secrets *, size_t i);

/*
 * Sets *w (reason "password"): no password opened `what', or none was given.
 * Returns 0.
 */
int secret_wrong(const struct secrets *, const char *what, struct reason *w);

/* Wipes and frees the passwords, and wipes those of the environment. */
void secret_free(struct secrets *);

#endif
