#ifndef UNPACK_H
#define UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Walks an archive in a child process that holds no key, because some files of
 * a hundred bytes loop or crash in libarchive.  An archive inside the archive
 * is opened, one level deep.
 */

/* Ceilings; -L raises them. */
struct unpack_limits {
	uint64_t members; /* number */
	uint64_t member; /* bytes of one */
	uint64_t total; /* bytes unpacked in all */
	uint64_t cpu; /* seconds of the child without progress */
	uint64_t memory; /* bytes of the child */
	uint64_t warnings; /* number */
	int pieces; /* not a ceiling: UNPACK_PIECE is wanted */
};

extern const struct unpack_limits unpack_defaults;

/* Sets one ceiling from `name=value' (K, M, G).  1, or 0 with *w. */
int unpack_limit(struct unpack_limits *, const char *spec, struct reason *w);

#define UNPACK_PIECE_BYTES (1024 * 1024) /* bytes of one */

enum unpack_event {
	UNPACK_END, /* nothing follows */
	UNPACK_MEMBER, /* a whole regular file */
	UNPACK_BIG, /* the first bytes of one past the ceiling; with pieces, all
		     of it follows from its first byte on ... */
	UNPACK_PIECE, /* ... in these ... */
	UNPACK_PIECES_END, /* ... up to here: why says if it breaks off */
	UNPACK_FAULT, /* a member that cannot be had (path), or the
				   rest of the archive (path is empty) */
	UNPACK_NOTE /* worth a word with -v; of a link the reason is `link' */
};

struct unpack {
	/* of the last event; valid until the next */
	char *path; /* bytes as they came; stays during pieces */
	size_t pathlen;
	uint8_t *data;
	size_t len;
	struct reason
	    why; /* UNPACK_FAULT, UNPACK_NOTE; UNPACK_PIECES_END, where
			   reason is NULL if the member is whole */
	/*
	 * To be set after unpack_start(), if there are passwords: gives number i
	 * to try on what the archive encrypts, NULL behind the last one, "" for
	 * none.  Number 0 is that of this member, the others are the same for
	 * all.  The child gets one after the other, when it needs one.
	 */
	const char *(*pass)(void *ctx, const char *path, size_t i);
	void *ctx;
	/* own */
	struct unpack_limits limits;
	int fd;
	int go; /* to the child: that it may read, then passwords */
	int pid;
	int started, over;
	size_t pathcap, datacap;
};

/* Returns 1 if the next event can be had without waiting, as it seems. */
int unpack_ready(const struct unpack *);

/*
 * Starts the child on fd.  To be called before any secret is read; nothing is
 * read from fd before unpack_next().  What is no archive is one member, with
 * path `stdin'.
 * Returns 1, or 0 with *w.
 */
int unpack_start(struct unpack *, int fd, const struct unpack_limits *,
    struct reason *w);
enum unpack_event unpack_next(struct unpack *);
void unpack_stop(struct unpack *);

#endif
