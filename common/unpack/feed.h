#ifndef UNPACK_FEED_H
#define UNPACK_FEED_H

#include <archive.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unpack/limits.h"

/* The bytes of one archive on their way into libarchive. */

#define FEED_BLOCK (128 * 1024)
/* Read at a time.  In more libarchive finds no uu behind other text. */
#define FEED_READ (64 * 1024)

/* Where the bytes come from. */
struct feed {
	struct limits *limits;
	const char *base; /* path of the archive, or NULL: the input */
	/* An archive inside another one: gives its next bytes; else NULL. */
	archive_read_callback *outer;
	void *ctx;
	int fd; /* where it can seek, or -1 */
	off_t start; /* of the archive in fd */
	int spool; /* holds what comes before the rest of the pipe, or -1 */
	char block[FEED_BLOCK];
	size_t nfirst; /* bytes in block that were read ahead */
};

/*
 * What libarchive was given by one callback, to know what it did not take.  That
 * is left[nleft], and behind it p[n].
 */
struct feed_given {
	int64_t all; /* bytes so far */
	const uint8_t *p; /* the last n of them; valid until more is given */
	size_t n;
	uint8_t left[FEED_BLOCK]; /* bytes before those that it did not take */
	size_t nleft;
};

/*
 * Copies what comes through a pipe, but must seek, into a memory file.  Returns
 * 1, or 0 after a fault.
 */
int feed_open(struct feed *, struct archive *);

/* Goes back to the start of what can seek. */
void feed_rewind(struct feed *);

void feed_close(struct feed *);

/*
 * The next bytes in *buf.  Returns their number, 0 at the end, or a negative
 * error, which is set for the archive.
 */
ssize_t feed_read(struct feed *, struct archive *, const void **buf);

/*
 * Returns 1 if the input begins with a block of zeros.  libarchive takes that for
 * a tar without members, but it may be the image of a disk.
 */
int feed_is_image(struct feed *);

/* Notes what the archive did not take; call it before the next is given. */
void feed_keep(struct feed_given *, struct archive *);

/* Notes that n bytes at p are given.  Returns n. */
ssize_t feed_note(struct feed_given *, const void *p, ssize_t n);

/* Leaves in left and p what the archive did not take, for good. */
void feed_left(struct feed_given *, struct archive *);

#endif
