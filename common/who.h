#ifndef WHO_H
#define WHO_H

#include "map.h"
#include "stream.h"

/* Whose key it is: what an entry says of group, user and mail. */

/*
 * From the certificate: the last OU as group; the last CN, else the UPN, else
 * the mail address, else name as user.  Borrows from c and name.
 */
void who_cert(struct stream_rec *, const struct cert *c, struct text name);

/*
 * From a path GROUP/USER/FILE or GROUP/FILE; an archive on the way, known by
 * its suffix, is no directory.  Borrows from path.
 */
void who_path(struct stream_rec *, struct text path);

/* From a line of the map (may be NULL): what it says, and only that. */
void who_map(struct stream_rec *, const struct map_line *);

#endif
