#ifndef READER_H
#define READER_H

#include <stdint.h>

#include "walk.h"

/* The child of walk.c, and what goes over the pipes between them. */

#define PATH_BYTES_MAX (64 * 1024) /* bytes of a path */
#define READER_TEXT    4096 /* bytes of a fault or note */
#define READER_HEAD    (36 * 1024) /* of a member past the ceiling */
#define READER_ASK     0x100 /* an event: wants password number `len' */
#define READER_NO_MORE UINT32_MAX /* the answer behind the last one */

/* In front of path and data.  An answer is its length and the password. */
struct reader_frame {
	uint32_t event, pathlen;
	uint64_t len;
	char reason[16];
};

/* Reads the archive on in and reports to out; asks, and hears from go. */
void reader_run(int in, int out, int go, const struct walk_limits *)
    __attribute__((noreturn));

#endif
