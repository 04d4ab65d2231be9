#ifndef EXPORT_OWNER_H
#define EXPORT_OWNER_H

#include "export/pathmap.h"
#include "record/stream_write.h"

/* Whose key it is: what an entry says of group, user and mail. */

/*
 * From the certificate: the last OU as group; the last CN, else the UPN, else
 * the mail address, else name as user.  Borrows from c and name.
 */
void owner_cert(struct stream_rec *, const struct cert *c, struct text name);

/*
 * From a path GROUP/USER/FILE or GROUP/FILE; an archive on the way, known by
 * its suffix, is no directory.  Borrows from path.
 */
void owner_path(struct stream_rec *, struct text path);

/* From a line of the map (may be NULL): what it says, and only that. */
void owner_map(struct stream_rec *, const struct pathmap_line *);

#endif
