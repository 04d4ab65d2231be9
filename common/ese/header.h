#ifndef ESE_HEADER_H
#define ESE_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/ese.h"

/* What the header of an ESE file says of it. */

#define HEADER_BYTES 668 /* at the least, to tell what it is */

/* Returns 1 if this is the start of an ESE file, of whatever age. */
int header_is(const uint8_t *p, size_t n);

/*
 * Reads the header, or its copy.  Returns 1, or 0 with *w: it is none, or none
 * that is read here, or it cannot be read.
 */
int header_read(struct ese *, struct reason *w);

/* Which program writes this revision. */
const char *header_engine(const struct ese *);

/* Returns 1 if it was shut down cleanly, or 0 with *w: what is missing. */
int header_clean(const struct ese *, struct reason *w);

#endif
