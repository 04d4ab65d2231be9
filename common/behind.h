#ifndef BEHIND_H
#define BEHIND_H

#include "level.h"

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
void behind_end(struct level *);

#endif
