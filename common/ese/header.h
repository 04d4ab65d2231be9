#ifndef ESE_HEADER_H
#define ESE_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "ese/ese.h"

/* Reads the header of an ESE file. */

#define HEADER_BYTES 668 /* at least, to recognise it */

/* Returns 1 if the n bytes are the start of an ESE file of any age. */
int header_is(const uint8_t *p, size_t n);

/*
 * Reads the header, or its copy.  Returns 1, or 0 with *w: it is none, of a
 * kind that is not read here, or unreadable.
 */
int header_read(struct ese *, struct reason *w);

/* Returns which program writes this revision. */
const char *header_engine(const struct ese *);

/* Returns 1 after a clean shutdown, or 0 with *w: what is missing. */
int header_clean(const struct ese *, struct reason *w);

#endif
