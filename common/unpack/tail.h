#ifndef UNPACK_TAIL_H
#define UNPACK_TAIL_H

#include "unpack/container.h"

/*
 * What libarchive does not read and does not mention: what stands behind the end
 * of an archive or of compressed data, and in front of a zip, as where archives
 * were joined with cat(1).
 */

/*
 * To be called at the end of the archive; reads on.  Zeros are padding, and
 * behind formats that carry signatures only another archive counts; all else
 * becomes a fault that says how to get at it.
 */
void tail_end(struct container *);

#endif
