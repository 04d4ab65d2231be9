#ifndef MAP_H
#define MAP_H

#include <stddef.h>

#include "rec.h"
#include "why.h"

/*
 * The map of -m: whose key a member is.  Lines of LTSV, `path:GLOB' with any
 * of group, user, mail, guid and pass; the first line that matches counts.
 */

#define MAP_FILE_MAX (16 * 1024 * 1024) /* bytes */

struct map_line {
	char *glob;
	struct text group, user, mail, guid; /* s is NULL: not said */
	char *pass; /* secure memory, or NULL */
	int used;
};

struct map {
	struct map_line *v;
	size_t n;
};

/* Reads a map file.  Returns 1, or 0 with *w, which names the line. */
int map_load(struct map *, const char *path, struct why *w);
void map_free(struct map *);

/* The first line whose glob matches the path, or NULL.  Borrowed. */
const struct map_line *map_find0(struct map *, const char *path);

#endif
