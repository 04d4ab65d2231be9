#ifndef LEVEL_H
#define LEVEL_H

#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "child.h"
#include "kind.h"

/*
 * An archive that libarchive reads in the child: the input, or a member of it;
 * its bytes, its passwords, and what is said when it breaks.
 */

#define LEVEL_BLOCK (128 * 1024)
/* Read at a time: in more than this libarchive finds no uu behind other text. */
#define LEVEL_READ	(64 * 1024)
#define LEVEL_ELSEWHERE "unpack it with its own tool and feed the files in"
#define LEVEL_ALONE \
	"encrypted by the archive: does not open (wrong password or " \
	"damaged file): give its password alone"

#define LEVEL_PEM "-----BEGIN "

/* What libarchive was given. */
struct level_feed {
	int64_t all; /* bytes */
	const uint8_t *p; /* the last n of them, valid until it is given more */
	size_t n;
	uint8_t left[LEVEL_BLOCK]; /* what it had not taken of those before */
	size_t nleft;
};

struct level {
	struct child *c;
	struct archive *a;
	struct archive *filter; /* unpacks what a reads, or NULL */
	struct level_feed packed, unpacked; /* to filter, from filter to a */
	int text; /* what is packed is, or may be, text around uuencoded data, */
	size_t pem; /* bytes of LEVEL_PEM that were seen in it */
	struct level *outer; /* NULL for the input */
	const struct kind *kind; /* NULL for the input */
	const char *base; /* path of the container, NULL for the input */
	int fd; /* where it can seek, or -1 */
	int spool; /* what comes before the rest of the pipe, or -1 */
	off_t start;
	char block[LEVEL_BLOCK];
	size_t nfirst; /* bytes of block that were read ahead */
	/* the entry */
	uint64_t index; /* counts from 1 */
	int lost; /* there was no header where one should be */
	char *path;
	int64_t size; /* -1 if it is not known */
	int encrypted;
	const uint8_t *p; /* unpacked, not yet taken */
	size_t n;
	int64_t offset; /* of p */
	int64_t at; /* taken up to here */
	int err; /* negative once it cannot be read on */
	/* passwords */
	uint64_t next; /* the number to ask for */
	uint64_t last; /* the number of the one that was given last */
	int repeat; /* it comes first once more */
	int own; /* the entry's own was asked for */
	int none; /* there are no more */
	int tried; /* libarchive was given one, */
	int given; /* and since it was opened */
	uint64_t cut; /* the entry that ended early under one of them */
	uint64_t again; /* the entry that a was opened again for */
};

/* Opens it, from its start.  Returns 1, or 0 after saying why not. */
int level_open(struct level *);

/* Frees what an inner one holds, and wipes what was read. */
void level_close(struct level *);

/* The next header; its entry, if there is one.  As archive_read_next_header. */
int level_next(struct level *, struct archive_entry **);

/*
 * The next bytes of one of its feeds, past libarchive; first those at p.  Returns
 * their number, 0 at the end, or an error of libarchive.
 */
ssize_t level_more(struct level *, struct level_feed *, const void **buf);

/* Leaves in left, and then p, what the archive was given and did not take. */
void level_left(struct level_feed *, struct archive *);

/* Returns 1 if it is compressed as a whole. */
int level_packed(const struct level *);

/*
 * The next bytes of the entry, max at most, with zeros for what a sparse file
 * leaves out.  Returns 1, 0 at its end, or an error of libarchive.
 */
int level_take(struct level *, size_t max, const uint8_t **p, size_t *n);

/*
 * A wrong password may seem right, with ZipCrypto one of 256, until the data
 * proves wrong.  Opens the archive once more at this entry, to go on behind
 * that password.  Returns 1, or 0 if that is no use.
 */
int level_again(struct level *);

/*
 * Reads the entry to its end, which proves the password right, where that takes
 * more than it is worth to keep; and opens the archive once more at its start,
 * with that password first.  Returns 1, 0 if it cannot be read again, or the
 * error.
 */
int level_prove(struct level *);

/*
 * The reason of a fault behind an error of libarchive, or NULL.  It says
 * nothing where it wanted more bytes; zlib and liblzma have codes for that.
 */
const char *level_reason(const char *error);

/* Whatever libarchive says of an error, and what to do, as a fault. */
void level_failed(struct level *, const char *path);

/* The same of an entry that cannot be read: a password may be why. */
void level_unreadable(struct level *);

#endif
