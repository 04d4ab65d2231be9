#ifndef UNPACK_UNPACK_H
#define UNPACK_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "unpack/frame.h"

/*
 * Reads an archive in a child process that holds no key, because some files of
 * a hundred bytes make libarchive loop or crash.  An archive inside the archive
 * is opened, one level deep.  Other rooms include only this header.
 */

/* The ceilings without -L. */
extern const struct unpack_limits unpack_defaults;

/*
 * Sets one ceiling from `name=value', as -L takes it.  The value may end in K,
 * M or G.  Returns 1, or 0 with *w.
 */
int unpack_limit(struct unpack_limits *, const char *spec, struct reason *w);

/* An archive being read.  The data of an event are valid until the next. */
struct unpack {
	/*
	 * The member's name as raw bytes, with a NUL behind them.  It stays
	 * during UNPACK_PIECE and UNPACK_PIECES_END.
	 */
	char *path;
	size_t pathlen;
	/* Bytes of UNPACK_MEMBER, UNPACK_BIG, UNPACK_PIECE and UNPACK_VALUE. */
	uint8_t *data;
	size_t len;
	/*
	 * Why: of UNPACK_FAULT and UNPACK_NOTE.  UNPACK_DATABASE_END: what the
	 * database is, and why that is a fault.  UNPACK_PIECES_END: why the
	 * member breaks off, or a NULL reason if it is whole.
	 */
	struct reason why;
	/*
	 * Set by the caller after unpack_start() if there are passwords.
	 * Returns password number i for the member: "" if none has this number,
	 * NULL behind the last.  Number 0 belongs to this member alone; the
	 * others are the same for all.
	 */
	const char *(*pass)(void *ctx, const char *path, size_t i);
	void *ctx;
	/* The rest is private to unpack.c. */
	struct unpack_limits limits;
	int backup; /* the descriptor that the child reads */
	struct spawn child;
	int started, over;
	size_t pathcap, datacap;
	char *asked; /* the member that passwords were asked for, or NULL */
	int said; /* 1: the message about it was printed */
	/* Bytes that were read and not yet taken: nhave from next. */
	uint8_t have[64 * 1024], *next;
	size_t nhave;
	/* Counts of what the child sent. */
	uint64_t members, bytes, steps, others;
	/* Seconds of the child's processor time: now, and at first. */
	double cpu, cpu_then;
	uint64_t idle; /* seconds */
};

/*
 * Starts the child on fd.  Must come before any secret is read: nothing is read
 * from fd before unpack_next().  Input that is no archive comes as one member
 * with the path `stdin'.  Returns 1, or 0 with *w.
 */
int unpack_start(struct unpack *, int fd, const struct unpack_limits *,
    struct reason *w);

/* Returns 1 if unpack_next() would probably not wait. */
int unpack_ready(const struct unpack *);

/* Waits for the next event. */
enum unpack_event unpack_next(struct unpack *);

/* Ends the child and frees the data of the events. */
void unpack_stop(struct unpack *);

#endif
