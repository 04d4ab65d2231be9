#ifndef UNPACK_LIMITS_H
#define UNPACK_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/secret.h"
#include "unpack/unpack.h"

/*
 * For the modules of the archive child only (unpack/child.h): its ceilings, and what
 * goes over the pipes between it and the parent.  A pipe that breaks ends it.
 */

struct limits {
	int in, out, go;
	struct unpack_limits limits;
	uint8_t *data; /* of the member at hand: limits.member + 1 */
	char pass[SECRET_MAX + 1];
	uint64_t members, total, warnings;
	uint64_t events; /* members and faults */
	uint64_t reread; /* entries passed by once more for a password */
	uint64_t since; /* bytes unpacked since the last progress */
	time_t second; /* of processor time in which it was, and 1 */
	const char *over; /* the ceiling that ended the walk, and its value */
	uint64_t over_at;
};

/* Writes all of n buffers, which it changes; or reads all n bytes. */
void limits_send(int fd, struct iovec *, int n);
void limits_hear(struct limits *, void *p, size_t n);

/* An event: WALK_* or CHILD_ASK; data is len bytes, or NULL: len says more. */
void limits_report(struct limits *, uint32_t event, const char *reason,
    const char *path, const void *data, size_t len);
void limits_note(struct limits *, const char *path, const char *text);
void limits_link(struct limits *, const char *path);

/* A fault; none where memory was short, which is why. */
void limits_fault(struct limits *, const char *reason, const char *path,
    const char *text);

/* A ceiling on the archive as a fault: says which, and how to raise it. */
void limits_ceiling(struct limits *, const char *path, const char *name,
    uint64_t v);

/* The walk ends at a ceiling; said at its end. */
void limits_stop(struct limits *, const char *name, uint64_t v);

/*
 * libarchive and what it uses do not always say that they are out of memory:
 * a password does not open, or the archive ends early.  errno stays, though.
 * Returns 1 if the walk ends at this or another ceiling.
 */
int limits_starved(struct limits *);

/* The CPU ceiling counts from here. */
void limits_progress(struct limits *);

/* Counts n bytes more that were unpacked.  Returns 1, or 0 at the ceiling. */
int limits_unpacked(struct limits *, uint64_t n);

#endif
