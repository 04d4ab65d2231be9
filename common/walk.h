#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>

#include "why.h"

/*
 * Walks an archive in a child process that holds no key, because some files of
 * a hundred bytes loop or crash in libarchive.  An archive inside the archive
 * is opened, one level deep.
 */

/* Ceilings; -L raises them. */
struct walk_limits {
	uint64_t members; /* number */
	uint64_t member; /* bytes of one */
	uint64_t total; /* bytes unpacked in all */
	uint64_t cpu; /* seconds of the child without progress */
	uint64_t memory; /* bytes of the child */
	uint64_t warnings; /* number */
	int pieces; /* not a ceiling: WALK_PIECE is wanted */
};

extern const struct walk_limits walk_defaults;

/* Sets one ceiling from `name=value' (K, M, G).  1, or 0 with *w. */
int walk_limit(struct walk_limits *, const char *spec, struct why *w);

#define WALK_PIECE_BYTES (1024 * 1024) /* bytes of one */

enum walk_event {
	WALK_END, /* nothing follows */
	WALK_MEMBER, /* a whole regular file */
	WALK_BIG, /* the first bytes of one past the ceiling; with pieces, all
		     of it follows from its first byte on ... */
	WALK_PIECE, /* ... in these ... */
	WALK_PIECES_END, /* ... up to here: why says if it breaks off */
	WALK_FAULT, /* a member that cannot be had (path), or the
				   rest of the archive (path is empty) */
	WALK_NOTE /* worth a word with -v; of a link the reason is `link' */
};

struct walk {
	/* of the last event; valid until the next */
	char *path; /* bytes as they came; stays during pieces */
	size_t pathlen;
	uint8_t *data;
	size_t len;
	struct why why; /* WALK_FAULT, WALK_NOTE; WALK_PIECES_END, where
			   reason is NULL if the member is whole */
	/*
	 * To be set after walk_start(), if there are passwords: gives number i
	 * to try on what the archive encrypts, NULL behind the last one, "" for
	 * none.  Number 0 is that of this member, the others are the same for
	 * all.  The child gets one after the other, when it needs one.
	 */
	const char *(*pass)(void *ctx, const char *path, size_t i);
	void *ctx;
	/* own */
	struct walk_limits limits;
	int fd;
	int go; /* to the child: that it may read, then passwords */
	int pid;
	int started, over;
	size_t pathcap, datacap;
};

/* Returns 1 if the next event can be had without waiting, as it seems. */
int walk_ready(const struct walk *);

/*
 * Starts the child on fd.  To be called before any secret is read; nothing is
 * read from fd before walk_next().  What is no archive is one member, with
 * path `stdin'.
 * Returns 1, or 0 with *w.
 */
int walk_start(struct walk *, int fd, const struct walk_limits *,
    struct why *w);
enum walk_event walk_next(struct walk *);
void walk_stop(struct walk *);

#endif
