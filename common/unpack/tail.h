#ifndef UNPACK_TAIL_H
#define UNPACK_TAIL_H

#include "unpack/container.h"

/*
 * What libarchive neither reads nor mentions: data behind the end of an archive or
 * of compressed data, and in front of a zip, as cat(1) joins archives.
 */

/*
 * Call it at the end of the archive: it reads on.  Zeros are padding, and behind
 * formats that carry signatures only another archive counts.  Anything else is a
 * fault that says how to get at it.
 */
void tail_end(struct container *);

#endif
