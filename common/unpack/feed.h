#ifndef UNPACK_FEED_H
#define UNPACK_FEED_H

#include <archive.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unpack/limits.h"

/* Feeds the bytes of one archive to libarchive. */

#define FEED_BLOCK (128 * 1024)
/* Bytes read at a time.  In more, libarchive finds no uu behind other text. */
#define FEED_READ (64 * 1024)

/* The source of the bytes. */
struct feed {
	struct limits *limits;
	const char *base; /* path of the archive, or NULL: the input */
	/* Gives the next bytes of an archive inside another one; else NULL. */
	archive_read_callback *outer;
	void *ctx;
	int fd; /* a file that can seek, or -1 */
	off_t start; /* of the archive in fd */
	int spool; /* a memory file with the start of a pipe, or -1 */
	char block[FEED_BLOCK];
	size_t nfirst; /* bytes in block that were read ahead */
};

/*
 * What one callback gave libarchive, to know what it did not take: left[nleft],
 * and then p[n].
 */
struct feed_given {
	int64_t all; /* bytes so far */
	const uint8_t *p; /* the last n of them; valid until more is given */
	size_t n;
	uint8_t left[FEED_BLOCK]; /* bytes before those that it did not take */
	size_t nleft;
};

/*
 * Copies a pipe that must seek into a memory file.  Returns 1, or 0 after
 * sending a fault.
 */
int feed_open(struct feed *, struct archive *);

/* Goes back to the start of a file that can seek. */
void feed_rewind(struct feed *);

void feed_close(struct feed *);

/*
 * Gives the next bytes in *buf.  Returns their number, 0 at the end, or a
 * negative error, which it sets for the archive.
 */
ssize_t feed_read(struct feed *, struct archive *, const void **buf);

/*
 * Returns 1 if the input begins with a block of zeros.  libarchive takes that
 * for a tar without members, but it may be a disk image.
 */
int feed_is_image(struct feed *);

/* Notes what the archive did not take, before the next bytes are given. */
void feed_keep(struct feed_given *, struct archive *);

/* Notes that n bytes at p were given.  Returns n. */
ssize_t feed_note(struct feed_given *, const void *p, ssize_t n);

/* Leaves in left and p the bytes that the archive never took. */
void feed_left(struct feed_given *, struct archive *);

#endif
