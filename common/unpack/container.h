#ifndef UNPACK_CONTAINER_H
#define UNPACK_CONTAINER_H

#include <archive.h>
#include <archive_entry.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "file/magic.h"
#include "unpack/feed.h"
#include "unpack/limits.h"
#include "unpack/passwords.h"

/*
 * An archive that libarchive reads in the child: the input, or a member of it.
 * Two handles of libarchive read what is compressed: the filter unpacks it, and
 * the other one reads what that gives, so that it is known where each ends.
 */

#define CONTAINER_ELSEWHERE "unpack it with its own tool and feed the files in"
#define CONTAINER_ALONE \
	"encrypted by the archive: does not open (wrong password or " \
	"damaged file): give its password alone"

struct container {
	struct limits *limits;
	struct container *outer; /* the archive that it is in, or NULL */
	const struct magic *kind; /* NULL for the input */
	const char *base; /* path of the archive, NULL for the input */
	struct archive *a;
	struct archive *filter; /* NULL if it is not compressed and can seek */
	struct feed feed;
	struct feed_given packed; /* bytes for the filter */
	struct feed_given unpacked; /* bytes from the filter for a */
	struct passwords passwords;
	int text; /* 1: it is, or may be, text around uuencoded data */
	size_t pem; /* what pem_seen() found in that text */
	int lost; /* 1: there was no header where one should be */
	/* The entry at hand. */
	uint64_t index; /* counts from 1 */
	char *path;
	int64_t size; /* -1 if it is not known */
	int encrypted;
	const uint8_t *p; /* n bytes that are unpacked and not taken */
	size_t n;
	int64_t offset; /* of p in the entry */
	int64_t at; /* taken up to here */
	int err; /* negative once it cannot be read on */
	uint64_t cut; /* the entry that ended early with some password */
};

/*
 * Opens the archive at its start.  The caller has set limits, kind, base, outer
 * and feed.  Returns 1, or 0 after a fault.
 */
int container_open(struct container *);

/* Frees what it holds, and wipes what was read. */
void container_close(struct container *);

/* The next header, with its entry in *e.  As archive_read_next_header(). */
int container_next(struct container *, struct archive_entry **e);

/*
 * The next bytes of the entry, max at most, with zeros for what a sparse file
 * leaves out.  Returns 1, 0 at its end, or an error of libarchive.
 */
int container_take(struct container *, size_t max, const uint8_t **p,
    size_t *n);

/*
 * Opens the archive once more at an entry that could not be read, to try the
 * passwords behind the last one.  A wrong one may seem right until the data
 * prove it wrong: with ZipCrypto one of 256 does.  Returns 1, or 0 if that is of
 * no use.
 */
int container_again(struct container *);

/*
 * Reads the entry to its end, which proves its password right; then opens the
 * archive once more at its start, with that password first.  Returns 1, 0 if it
 * cannot be read twice, or an error of libarchive.
 */
int container_prove(struct container *);

/*
 * The next bytes that libarchive did not take, *given first.  Returns their
 * number, 0 at the end, or an error of libarchive.
 */
ssize_t container_more(struct container *, struct feed_given *given,
    const void **buf);

/* Returns 1 if it is compressed as a whole. */
int container_packed(const struct container *);

/*
 * The reason of a fault, from the text of an error of libarchive.  There is none,
 * NULL, where libarchive wanted more bytes; zlib and liblzma have codes for that.
 */
const char *container_reason(const char *error);

/* Sends the fault that libarchive names, with what to do. */
void container_failed(struct container *, const char *path);

/* Sends the fault that the entry cannot be read, maybe for want of a password. */
void container_unreadable(struct container *);

#endif
