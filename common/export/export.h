#ifndef EXPORT_H
#define EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/table.h"
#include "export/pathmap.h"
#include "export/shelf.h"
#include "record/stream_write.h"
#include "record/trust.h"
#include "unpack/unpack.h"

/*
 * From members to records: pairs keys with certificates, also across
 * members, selects, holds signing keys back, and accounts for every member.
 */

#define EXPORT_KEPT 2 /* passwords: of -c and of -S */

struct export
{
	/* set by the tool */
	struct pathmap map;
	struct shelf *hold;
	struct secrets *secrets;
	const char *kept[EXPORT_KEPT]; /* of them, not for the archive child */
	const char **group, **user; /* patterns of -g, -u */
	size_t ngroup, nuser;
	int carve; /* -x */
	struct readers *crew; /* -j; NULL: alone */
	/* own */
	struct stream_out out;
	struct table users;
	uint8_t *class; /* of each member */
	size_t room; /* members that class has room for */
	uint64_t members;
	unsigned long long nusers, v1, signing, links;
	int cut; /* not all of the backup could be read */
	struct carving *carving; /* a member past the ceiling comes in pieces */
};

/* Room for n patterns of each kind.  Out of memory exits 2. */
void export_init(struct export *, size_t n);
void export_free(struct export *);

/*
 * Writes the whole stream to stdout and the summary to stderr.  Returns the
 * exit status: 0, or 1 if something is a fault or nothing was found.
 */
int export_run(struct export *, struct unpack *, const struct trust_pair *to,
    const struct trust_pair *signer);

#endif
