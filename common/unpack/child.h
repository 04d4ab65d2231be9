#ifndef UNPACK_CHILD_H
#define UNPACK_CHILD_H

#include "unpack/frame.h"

/* The process that reads the archive: it holds no key and no file. */

/*
 * Waits for leave to begin, enters the sandbox, reads the archive from in, and
 * sends frames to out.  Passwords come from password.
 */
void child_run(int in, int out, int password, const struct unpack_limits *)
    __attribute__((noreturn));

#endif
