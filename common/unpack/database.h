#ifndef UNPACK_DATABASE_H
#define UNPACK_DATABASE_H

#include <stddef.h>

#include "unpack/container.h"

/* Reads a member that is an ESE database, such as kmsmdb.edb. */

/*
 * If the member at hand, with its first len bytes at limits->data, is a
 * database: sends its values that may be keys or certificates, then what is
 * lost and what the database is.  Of a CA's database, whose rows are for
 * edb-extract(1), no value is sent.  *fd becomes a memory file with the first
 * bytes of the member, if they had to be copied, which the caller closes; else
 * -1.  Returns 1, or 0 with nothing sent: it is none, or too large for that.
 */
int database_read(struct container *, size_t len, int *fd);

#endif
