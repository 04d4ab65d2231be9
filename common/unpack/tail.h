#ifndef UNPACK_TAIL_H
#define UNPACK_TAIL_H

#include "unpack/container.h"

/*
 * Finds what libarchive neither reads nor mentions: data behind an archive or
 * compressed data, and in front of a zip, as cat(1) joins archives.
 */

/*
 * Reads on from the end of the archive.  Zeros are padding, and behind formats
 * that carry signatures only another archive counts.  Anything else is a fault
 * that says how to get at it.
 */
void tail_end(struct container *);

#endif
