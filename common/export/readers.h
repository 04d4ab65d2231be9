#ifndef EXPORT_READERS_H
#define EXPORT_READERS_H

#include "base/reason.h"
#include "base/secret.h"
#include "export/pathmap.h"
#include "file/findings.h"

/* Members that are read side by side, in processes of their own. */

struct readers;

/*
 * Starts so many processes; they have the passwords and the map, which must
 * stay as they are.
 */
struct readers *readers_new(unsigned jobs, struct secrets *,
    const struct pathmap *);
void readers_free(struct readers *);

/* Members whose items were not taken yet; 0 too if there is no crew. */
size_t readers_busy(const struct readers *);

/* Returns 1 if readers_get() must be called before the next readers_put(). */
int readers_full(const struct readers *);

/* Gives a member to be read, with the line of the map for it, or NULL. */
void readers_put(struct readers *, const uint8_t *p, size_t n,
    const struct pathmap_line *, void *tag);

/*
 * What file_read() makes of the oldest member, returned as it does, and what
 * its tag was.  Waits for it; there must be one.
 */
int readers_get(struct readers *, struct findings *, struct reason *,
    void **tag);

#endif
