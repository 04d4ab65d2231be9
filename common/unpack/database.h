#ifndef UNPACK_DATABASE_H
#define UNPACK_DATABASE_H

#include <stddef.h>

#include "unpack/container.h"

/* A member that is an ESE database, such as kmsmdb.edb. */

/*
 * If the member at hand, of which len bytes are at limits->data, is a database:
 * sends those of its values that may be keys or certificates, what is lost, and
 * what it is.  Of the database of a CA, whose rows are for edb-extract(1), no
 * value is sent.  What had to be copied for that, the first bytes of the member,
 * is in the memory file *fd, which the caller closes; else *fd is -1.  Returns 1,
 * or 0 if it is none, or too large for that: nothing was sent.
 */
int database_read(struct container *, size_t len, int *fd);

#endif
