#ifndef UNPACK_CONTAINER_H
#define UNPACK_CONTAINER_H

#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "file/magic.h"
#include "unpack/limits.h"

/*
 * An archive that libarchive reads in the child: the input, or a member of it;
 * its bytes, its passwords, and what is said when it breaks.
 */

#define CONTAINER_BLOCK (128 * 1024)
/* Read at a time: in more than this libarchive finds no uu behind other text. */
#define CONTAINER_READ	    (64 * 1024)
#define CONTAINER_ELSEWHERE "unpack it with its own tool and feed the files in"
#define CONTAINER_ALONE \
	"encrypted by the archive: does not open (wrong password or " \
	"damaged file): give its password alone"

#define CONTAINER_PEM "-----BEGIN "

/* What libarchive was given. */
struct container_feed {
	int64_t all; /* bytes */
	const uint8_t *p; /* the last n of them, valid until it is given more */
	size_t n;
	uint8_t
	    left[CONTAINER_BLOCK]; /* what it had not taken of those before */
	size_t nleft;
};

struct container {
	struct limits *c;
	struct archive *a;
	struct archive *filter; /* unpacks what a reads, or NULL */
	struct container_feed packed,
	    unpacked; /* to filter, from filter to a */
	int text; /* what is packed is, or may be, text around uuencoded data, */
	size_t pem; /* bytes of CONTAINER_PEM that were seen in it */
	struct container *outer; /* NULL for the input */
	const struct magic *kind; /* NULL for the input */
	const char *base; /* path of the container, NULL for the input */
	int fd; /* where it can seek, or -1 */
	int spool; /* what comes before the rest of the pipe, or -1 */
	off_t start;
	char block[CONTAINER_BLOCK];
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
int container_open(struct container *);

/* Frees what an inner one holds, and wipes what was read. */
void container_close(struct container *);

/* The next header; its entry, if there is one.  As archive_read_next_header. */
int container_next(struct container *, struct archive_entry **);

/*
 * The next bytes of one of its feeds, past libarchive; first those at p.  Returns
 * their number, 0 at the end, or an error of libarchive.
 */
ssize_t container_more(struct container *, struct container_feed *,
    const void **buf);

/* Leaves in left, and then p, what the archive was given and did not take. */
void container_left(struct container_feed *, struct archive *);

/* Returns 1 if it is compressed as a whole. */
int container_packed(const struct container *);

/*
 * The next bytes of the entry, max at most, with zeros for what a sparse file
 * leaves out.  Returns 1, 0 at its end, or an error of libarchive.
 */
int container_take(struct container *, size_t max, const uint8_t **p,
    size_t *n);

/*
 * A wrong password may seem right, with ZipCrypto one of 256, until the data
 * proves wrong.  Opens the archive once more at this entry, to go on behind
 * that password.  Returns 1, or 0 if that is no use.
 */
int container_again(struct container *);

/*
 * Reads the entry to its end, which proves the password right, where that takes
 * more than it is worth to keep; and opens the archive once more at its start,
 * with that password first.  Returns 1, 0 if it cannot be read again, or the
 * error.
 */
int container_prove(struct container *);

/*
 * The reason of a fault behind an error of libarchive, or NULL.  It says
 * nothing where it wanted more bytes; zlib and liblzma have codes for that.
 */
const char *container_reason(const char *error);

/* Whatever libarchive says of an error, and what to do, as a fault. */
void container_failed(struct container *, const char *path);

/* The same of an entry that cannot be read: a password may be why. */
void container_unreadable(struct container *);

#endif
