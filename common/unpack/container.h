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
 * Compressed data has two handles of libarchive, so that it is known where each
 * ends: one unpacks, and the other reads the unpacked bytes.
 */

#define CONTAINER_ELSEWHERE "unpack it with its own tool and feed the files in"
#define CONTAINER_ALONE \
	"encrypted by the archive: does not open (wrong password or " \
	"damaged file): give its password alone"

struct container {
	struct limits *limits;
	struct container *outer; /* the archive around it, or NULL */
	const struct magic *kind; /* NULL for the input */
	const char *base; /* path of the archive, NULL for the input */
	struct archive *a;
	struct archive *filter; /* NULL: not compressed, and can seek */
	struct feed feed;
	struct feed_given packed; /* bytes for the filter */
	struct feed_given unpacked; /* bytes from the filter, for a */
	struct passwords passwords;
	int text; /* 1: the data may be text around uuencoded data */
	size_t pem; /* state of pem_seen() for that text */
	int lost; /* 1: a header was missing */
	/* The entry at hand. */
	uint64_t index; /* counts from 1 */
	char *path;
	int64_t size; /* -1 if it is not known */
	int encrypted;
	const uint8_t *p; /* n bytes that are unpacked but not taken */
	size_t n;
	int64_t offset; /* of p in the entry */
	int64_t at; /* how much of the entry was taken */
	int err; /* negative once the entry cannot be read on */
	uint64_t cut; /* index of the entry that some password ended early */
};

/*
 * Opens the archive at its start.  The caller has set limits, kind, base, outer
 * and feed.  Returns 1, or 0 after sending a fault.
 */
int container_open(struct container *);

/* Frees its memory, and wipes the bytes that were read. */
void container_close(struct container *);

/* Reads the next header into *e, as archive_read_next_header() does. */
int container_next(struct container *, struct archive_entry **e);

/*
 * Takes the next bytes of the entry, at most max, with zeros for the holes of a
 * sparse file.  Returns 1, 0 at its end, or an error of libarchive.
 */
int container_take(struct container *, size_t max, const uint8_t **p,
    size_t *n);

/*
 * Opens the archive again at an entry that could not be read, to try the
 * passwords after the last one.  A wrong password may seem right until the data
 * prove it wrong: with ZipCrypto one of 256 does.  Returns 1, or 0 if trying is
 * of no use.
 */
int container_again(struct container *);

/*
 * Reads the entry to its end, which proves its password right; then opens the
 * archive again at its start, with that password first.  Returns 1, 0 if it
 * cannot be read twice, or an error of libarchive.
 */
int container_prove(struct container *);

/*
 * Gives the next bytes that libarchive did not take, *given first.  Returns
 * their number, 0 at the end, or an error of libarchive.
 */
ssize_t container_more(struct container *, struct feed_given *given,
    const void **buf);

/* Returns 1 if the archive is compressed as a whole. */
int container_packed(const struct container *);

/*
 * Returns the reason of a fault from an error text of libarchive; NULL if there
 * is none, because it wanted more bytes: zlib and liblzma have codes for that.
 */
const char *container_reason(const char *error);

/* Sends the fault that libarchive reports, with what to do. */
void container_failed(struct container *, const char *path);

/* Sends the fault of an unreadable entry, which may lack a password. */
void container_unreadable(struct container *);

#endif
