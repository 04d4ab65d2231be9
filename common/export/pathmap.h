#ifndef EXPORT_PATHMAP_H
#define EXPORT_PATHMAP_H

#include <stddef.h>

#include "base/reason.h"
#include "base/table.h"
#include "base/text.h"

/*
 * The map of -m: whose key a member is.  Its lines are LTSV, `path:GLOB' with
 * any of group, user, mail, guid and pass; the first line that matches counts.
 */

#define PATHMAP_FILE_MAX (16 * 1024 * 1024) /* bytes */

struct pathmap_line {
	char *glob;
	struct text group, user, mail, guid; /* s is NULL: the line has none */
	char *pass; /* secure memory, or NULL */
	int exact; /* 1: the glob is a path without wildcards */
	int used; /* 1: it has matched */
};

struct pathmap {
	struct pathmap_line *v;
	size_t n, room;
	struct table exact; /* the lines without wildcards, by hash */
	size_t *glob; /* numbers of the other lines */
	size_t nglobs, glob_room;
};

/* Reads a map file.  Returns 1, or 0 with *w, which names the line. */
int pathmap_load(struct pathmap *, const char *path, struct reason *w);
void pathmap_free(struct pathmap *);

/* Returns the first line whose glob matches the path, borrowed, or NULL. */
const struct pathmap_line *pathmap_find0(struct pathmap *, const char *path);

#endif
