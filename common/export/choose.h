#ifndef EXPORT_CHOOSE_H
#define EXPORT_CHOOSE_H

#include <stddef.h>

#include "base/table.h"
#include "export/charset.h"
#include "export/pathmap.h"
#include "key/cert.h"
#include "record/stream_write.h"

/* Says whose a key or certificate is, and whether -g and -u want it. */

struct choose {
	struct pathmap map; /* of -m */
	struct charset *charset; /* of -i, or NULL */
	const char **group, **user; /* patterns of -g and -u */
	size_t ngroup, nuser;
	struct table databases; /* SHA-256 of the paths of databases */
	int carve; /* 1: sources may be member@offset, as -x makes them */
};

/* Makes room for n patterns of each kind.  Exits 2 when memory is full. */
void choose_init(struct choose *, size_t n);
void choose_free(struct choose *);

/* Notes that this path is a database: sources that begin with it lie in it. */
void choose_database(struct choose *, struct text path);

/* Returns 1 if -g or -u was given. */
int choose_some(const struct choose *);

/*
 * Fills in a record from the certificate, the path of its source and the map,
 * and borrows from all of them; the key of the record stays empty.
 */
void choose_describe(struct choose *, struct stream_rec *, const struct cert *,
    struct text name, struct text source);

/* Fills in only what the source's path and its line of the map say. */
void choose_whose(struct choose *, struct stream_rec *, struct text source);

/* Returns 1 if -g and -u want the record. */
int choose_wants(const struct choose *, const struct stream_rec *);

/*
 * Returns 1 if the source's path, or its line of the map, names a group or user
 * that -g or -u does not want.
 */
int choose_skips(struct choose *, struct text source);

/*
 * Returns the line of the map for a source, or NULL.  A source member@offset
 * (-x), or one in a database, takes the line of its member.
 */
const struct pathmap_line *choose_line0(struct choose *, struct text source);

#endif
