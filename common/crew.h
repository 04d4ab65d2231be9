#ifndef CREW_H
#define CREW_H

#include "item.h"
#include "map.h"
#include "secret.h"
#include "why.h"

/* Members that are read side by side, in processes of their own. */

struct crew;

/*
 * Starts so many processes; they have the passwords and the map, which must
 * stay as they are.
 */
struct crew *crew_new(unsigned jobs, struct secrets *, const struct map *);
void crew_free(struct crew *);

/* Members whose items were not taken yet; 0 too if there is no crew. */
size_t crew_busy(const struct crew *);

/* Returns 1 if crew_get() must be called before the next crew_put(). */
int crew_full(const struct crew *);

/* Gives a member to be read, with the line of the map for it, or NULL. */
void crew_put(struct crew *, const uint8_t *p, size_t n,
    const struct map_line *, void *tag);

/*
 * What member_read() makes of the oldest member, returned as it does, and what
 * its tag was.  Waits for it; there must be one.
 */
int crew_get(struct crew *, struct items *, struct why *, void **tag);

#endif
