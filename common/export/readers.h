#ifndef EXPORT_READERS_H
#define EXPORT_READERS_H

#include "base/reason.h"
#include "base/secret.h"
#include "export/pathmap.h"
#include "file/findings.h"

/*
 * Members that are read side by side: many in one process, so that derivations of
 * several fill the lanes of the processor; and in processes of their own.
 */

struct readers;

/*
 * Starts as many processes as jobs says, none if that is 1: this one reads then.
 * They have the passwords and the map, which must not change from then on.
 */
struct readers *readers_new(unsigned jobs, struct secrets *,
    const struct pathmap *);
void readers_free(struct readers *);

/* The number of members not taken yet; 0 for NULL. */
size_t readers_busy(const struct readers *);

/* Returns 1 while readers_get() must be called before the next readers_put(). */
int readers_full(const struct readers *);

/* Gives a member to be read, with the line of the map for it, or NULL. */
void readers_put(struct readers *, const uint8_t *p, size_t n,
    const struct pathmap_line *, void *tag);

/*
 * Waits for the oldest member, which there must be; *tag is what was given with
 * it.  The rest is what file_read() made of it, and returned.
 */
int readers_get(struct readers *, struct findings *, struct reason *,
    void **tag);

#endif
