#ifndef UNPACK_CHILD_H
#define UNPACK_CHILD_H

#include "unpack/limits.h"

/* The process that reads the archive: it holds no key and no file. */

/*
 * For spawn_start(): waits for leave to begin, enters the sandbox, and does as
 * child_read().  max is a struct unpack_limits.
 */
void child_run(void *max);

/* Reads the whole archive and sends the frames.  Of the limits only max is set. */
void child_read(struct limits *);

#endif
