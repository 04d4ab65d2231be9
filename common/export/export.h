#ifndef EXPORT_H
#define EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/secret.h"
#include "base/table.h"
#include "export/choose.h"
#include "export/pair.h"
#include "record/stream_write.h"
#include "record/trust.h"
#include "unpack/unpack.h"

/*
 * Makes records of members: reads each member, pairs and selects its keys and
 * certificates, holds signing keys back, and accounts for every member.
 */

#define EXPORT_KEPT 2 /* passwords: of -c and of -S */

struct export
{
	/* set by the tool */
	struct choose choose; /* -g, -u, -m, -x */
	struct secrets *secrets;
	const char *kept[EXPORT_KEPT]; /* of them, not for the child */
	struct readers *readers; /* NULL: members are read here */
	/* private */
	struct pair pair;
	struct stream_out out;
	struct table users;
	uint8_t *class; /* of each member */
	size_t room; /* members that class has room for */
	uint64_t members;
	unsigned long long nusers, odd, v1, signing, links, unwanted;
	int cut; /* 1: not all of the backup could be read */
	struct search *search; /* reads a member past the ceiling in pieces */
};

/*
 * Starts empty, with room for n patterns of each kind; then, before the
 * sandbox, export_open() makes the temporary file.  Both exit 2 on failure.
 */
void export_init(struct export *, size_t n);
void export_open(struct export *);
void export_free(struct export *);

/*
 * Writes the whole stream to stdout and the summary to stderr.  Returns the
 * exit status: 0, or 1 if something is a fault or nothing was found.
 */
int export_run(struct export *, struct unpack *, const struct trust_pair *to,
    const struct trust_pair *signer);

#endif
