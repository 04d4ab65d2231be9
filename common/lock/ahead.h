#ifndef LOCK_AHEAD_H
#define LOCK_AHEAD_H

#include <stddef.h>
#include <stdint.h>

#include "lock/kdf.h"
#include "lock/passform.h"

/*
 * Derives ahead what a locked file will most likely derive from one form of a
 * password.  The reader of a file first notes that, for each candidate or each
 * of several files; then all of it is derived side by side; then the files are
 * read, and what they ask for is there.  What is missing is derived on demand.
 */

#define AHEAD_DERIVATIONS 8 /* of one file; others are not derived ahead */
#define AHEAD_SALT	  64 /* bytes; longer ones are not derived ahead */
#define AHEAD_OUT	  64

struct ahead {
	struct passform form;
	struct passform_tries tries; /* as they were when they gave the form */
	int all; /* 1: all of the file was added, not its MAC only */
	struct kdf k[AHEAD_DERIVATIONS];
	uint8_t salt[AHEAD_DERIVATIONS][AHEAD_SALT];
	uint8_t out[AHEAD_DERIVATIONS][AHEAD_OUT];
	size_t n, derived; /* how many were added; were derived */
};

/* Makes one for the next form, or returns NULL.  The caller frees it. */
struct ahead *ahead_new(struct passform_tries *);
void ahead_free(struct ahead *);

/*
 * Adds a derivation from its form, without looking at out.  Leaves out one that
 * is long, large, or of a hash that is not done side by side.
 */
void ahead_add(struct ahead *, const struct kdf *);

/* Derives what was added to each of n, side by side. */
void ahead_derive(struct ahead *const *, size_t n);

/*
 * Does n derivations, and copies those that are in the struct, which may be
 * NULL.  Returns 1, or 0 if libcrypto failed.
 */
int ahead_kdf(const struct ahead *, const struct kdf *, size_t n);

#endif
