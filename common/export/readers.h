#ifndef EXPORT_READERS_H
#define EXPORT_READERS_H

#include "base/reason.h"
#include "base/secret.h"
#include "export/pathmap.h"
#include "file/findings.h"

/*
 * Reads members side by side: many in one process, so that their derivations
 * fill the lanes of the processor, and in several processes.
 */

struct readers;

/*
 * Starts as many processes as jobs says; if that is 1, this process reads.
 * They have the passwords and the map, which must not change from then on.
 */
struct readers *readers_new(unsigned jobs, struct secrets *,
    const struct pathmap *);
void readers_free(struct readers *);

/* Returns the number of members not taken yet; 0 for NULL. */
size_t readers_busy(const struct readers *);

/* Returns 1 if readers_get() must come before the next readers_put(). */
int readers_full(const struct readers *);

/* Gives a member to be read, and its line of the map, or NULL. */
void readers_put(struct readers *, const uint8_t *p, size_t n,
    const struct pathmap_line *, void *tag);

/*
 * Waits for the oldest member, of which there must be one; *tag is the one
 * given with it.  Returns, and sets the rest, as file_read() does.
 */
int readers_get(struct readers *, struct findings *, struct reason *,
    void **tag);

#endif
