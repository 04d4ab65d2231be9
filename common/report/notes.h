#ifndef REPORT_NOTES_H
#define REPORT_NOTES_H

#include <stdio.h>

#include "record/read.h"
#include "record/write.h"

/*
 * Sets fields of records aside in an unlinked temporary file until the lists of
 * the page are made.  Names and reasons go there, never a key.
 */

struct notes {
	FILE *fp;
	struct rec_out *out;
};

/* Exits 2 if there is no temporary file or no memory. */
void notes_init(struct notes *);
void notes_free(struct notes *);

/*
 * Begins a note of this type with fields of the record: labels, separated by
 * blanks.  The caller may add fields to n->out before notes_end(), which exits
 * 2 if the file is full.
 */
void notes_begin(struct notes *n, const char *type, const struct rec *,
    const char *labels);
void notes_end(struct notes *);

/* Calls each() with arg for every note, in the order they were made. */
void notes_each(struct notes *, void (*each)(void *arg, const struct rec *),
    void *arg);

#endif
