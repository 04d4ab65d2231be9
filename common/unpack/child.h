#ifndef UNPACK_CHILD_H
#define UNPACK_CHILD_H

#include <stdint.h>

#include "unpack/unpack.h"

/* The child of unpack/unpack.c, and what goes over the pipes between them. */

#define PATH_BYTES_MAX (64 * 1024) /* bytes of a path */
#define CHILD_TEXT     4096 /* bytes of a fault or note */
#define CHILD_HEAD     (36 * 1024) /* of a member past the ceiling */
#define CHILD_ASK      0x100 /* an event: wants password number `len' */
#define CHILD_NO_MORE  UINT32_MAX /* the answer behind the last one */

/* In front of path and data.  An answer is its length and the password. */
struct frame {
	uint32_t event, pathlen;
	uint64_t len;
	char reason[16];
};

/* Reads the archive on in and reports to out; asks, and hears from go. */
void child_run(int in, int out, int go, const struct unpack_limits *)
    __attribute__((noreturn));

#endif
