#ifndef CA_NAMING_H
#define CA_NAMING_H

#include "record/read.h"
#include "store/store.h"

#define ROW_TEXT_MAX 8192 /* bytes of a name, all of which must fit a record */

/* Names of rows that exist: which of a record, and which are former. */

/*
 * Adds a record's name to the row of its certificate, with *named 1, unless the
 * row has it.  Only a record with the key names a row.  If it is the row's
 * first key (new_key), the name that came without a key is former; so is one
 * that says less, with an empty field where this one has text.  w->detail
 * becomes what to print of it, or "".  Returns 1, or 0 with *w.
 */
int naming_add(struct store *, const struct store_known *, struct store_name *,
    int has_key, int new_key, int *named, struct reason *w);

/* Putting right --------------------------------------------------------- */

/* A request to replace a name. */
struct naming {
	unsigned long long line; /* of stdin; 0: it is an operand */
	int64_t row;
	int64_t name; /* which of its names; NAME_NONE: the only one */
	struct text to[4]; /* group, user, mail, guid; s NULL: unchanged */
};

/*
 * Adds a field to the request: id, name, group, user, mail or guid; ignores
 * others.  Returns 1, or 0 with *w.
 */
int naming_field(struct naming *, const char *label, const char *value,
    struct reason *w);

/* Adds fields of an `archived' or `name' record.  Returns 1, or 0 with *w. */
int naming_ask(struct naming *, const struct rec *, unsigned long long line,
    struct reason *w);

void naming_free(struct naming *);

enum naming_status {
	NAMING_STOP = -1, /* with *w: the archive failed */
	NAMING_REFUSED, /* with *w */
	NAMING_SAME, /* nothing to do */
	NAMING_SET
};

/*
 * Adds the requested name in place of the one that it replaces, unless dry.  *n
 * borrows from both until the next call.
 */
enum naming_status naming_set(struct store *, const struct naming *,
    struct store_name *n, int dry, struct reason *w);

#endif
