#ifndef UNPACK_CHILD_H
#define UNPACK_CHILD_H

#include "unpack/limits.h"

/* The process that reads the archive.  It holds no key and opens no file. */

/*
 * For spawn_start(): waits for the parent's leave, enters the sandbox, and does
 * as child_read().  max is a struct unpack_limits.
 */
void child_run(void *max);

/* Reads the whole archive, and sends the frames.  The caller sets only max. */
void child_read(struct limits *);

#endif
