#ifndef EXPORT_OWNER_H
#define EXPORT_OWNER_H

#include "export/pathmap.h"
#include "record/stream_write.h"

/* Says whose a key is: group, user and mail of an entry. */

/*
 * Takes from the certificate the last OU as group, and as user the last CN,
 * else the UPN, else the mail address, else name.  Borrows from c and name.
 */
void owner_cert(struct stream_rec *, const struct cert *c, struct text name);

/*
 * Takes them from a path GROUP/USER/FILE or GROUP/FILE.  An archive in the
 * path, known by its suffix, is no directory.  Borrows from path.
 */
void owner_path(struct stream_rec *, struct text path);

/* Takes them from a line of the map (may be NULL), where it has them. */
void owner_map(struct stream_rec *, const struct pathmap_line *);

#endif
