#ifndef CA_NAMING_H
#define CA_NAMING_H

#include "record/read.h"
#include "store/store.h"

#define ROW_TEXT_MAX 8192 /* bytes of a name: a record must hold all */

/* The names of a row that is there: which of a record, and what is former. */

/*
 * Adds the name that a record has to the row that has its certificate, unless
 * the row was seen under it: then *named is 1.  Only who brings the key names a
 * row; and where the row had none (new_key), a name that came without it is
 * former.  A name that says less, an empty field where this one has something,
 * is former too.  w->detail is what to say of it, or "".  Returns 1, or 0 with
 * *w.
 */
int naming_add(struct store *, const struct store_known *, struct store_name *,
    int has_key, int new_key, int *named, struct reason *w);

/* Putting right --------------------------------------------------------- */

/* What somebody asks for: a name is to be another. */
struct naming {
	unsigned long long line; /* of stdin; 0: an operand */
	int64_t row;
	int64_t name; /* which of its names; NAME_NONE: the only one */
	struct text to[4]; /* group, user, mail, guid; s NULL: as it is */
};

/*
 * Adds what a field says: id, name, group, user, mail or guid; of others it
 * takes nothing.  Returns 1, or 0 with *w.
 */
int naming_field(struct naming *, const char *label, const char *value,
    struct reason *w);

/* The same of an `archived' or `name' record.  Returns 1, or 0 with *w. */
int naming_ask(struct naming *, const struct rec *, unsigned long long line,
    struct reason *w);

void naming_free(struct naming *);

enum naming_status {
	NAMING_STOP = -1, /* with *w: the archive fails */
	NAMING_REFUSED, /* with *w */
	NAMING_SAME, /* nothing to do */
	NAMING_SET
};

/*
 * Adds the name that is asked for in the place of the one that it replaces;
 * with dry, does not.  *n borrows from both until the next call.
 */
enum naming_status naming_set(struct store *, const struct naming *,
    struct store_name *n, int dry, struct reason *w);

#endif
