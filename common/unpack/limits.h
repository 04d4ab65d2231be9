#ifndef UNPACK_LIMITS_H
#define UNPACK_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "unpack/frame.h"

/* Keeps the ceilings in the child, and reports one that is passed. */

struct limits {
	struct unpack_limits max;
	uint64_t members, total, warnings; /* so far */
	uint64_t events; /* members and faults that were sent */
	uint64_t reread; /* entries skipped again for a password */
	uint64_t since; /* bytes unpacked since the last progress */
	time_t second; /* processor time of the last progress, plus 1 */
	const char *over; /* the ceiling that ended the reading, or NULL */
	uint64_t over_at; /* its value */
	uint8_t *data; /* the member at hand; room for max.member + 1 bytes */
};

/* Sends a note. */
void limits_note(const char *path, const char *text);

/* Sends the note that a link is not followed. */
void limits_link(const char *path);

/* Sends a fault, unless memory was short: that is the reason then. */
void limits_fault(struct limits *, const char *reason, const char *path,
    const char *text);

/* Sends the fault that a ceiling is passed: which one, and how to raise it. */
void limits_ceiling(struct limits *, const char *path, const char *name,
    uint64_t value);

/* Ends the reading at a ceiling, whose fault is sent at the end. */
void limits_stop(struct limits *, const char *name, uint64_t value);

/*
 * Returns 1 if a ceiling ends the reading.  Short memory is one: libarchive and
 * its libraries do not always report it (a password does not open, or the
 * archive ends early), but errno stays ENOMEM.
 */
int limits_starved(struct limits *);

/* Notes progress, and starts the ceiling of processor time anew. */
void limits_progress(struct limits *);

/* Counts n more unpacked bytes.  Returns 1, or 0 at the ceiling. */
int limits_unpacked(struct limits *, uint64_t n);

#endif
