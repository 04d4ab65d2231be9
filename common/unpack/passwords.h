#ifndef UNPACK_PASSWORDS_H
#define UNPACK_PASSWORDS_H

#include <archive.h>
#include <stdint.h>

#include "base/secret.h"
#include "unpack/limits.h"

/*
 * The passwords of an encrypted archive, asked for one after the other.  Number 0
 * belongs to one entry alone; those from 1 on serve all.  libarchive remembers
 * what it was given, and tries that first, until the archive is closed.
 */
struct passwords {
	struct limits *limits;
	const char *path; /* of the entry; borrowed */
	uint64_t used; /* those up to this number were asked for */
	int own; /* 1: number 0 was asked for, for this entry */
	int again; /* 1: the archive was opened once more for this entry */
	int given; /* 1: libarchive was given one since */
	int tried; /* 1: it was given one ever */
	uint64_t last; /* the number of the one it was given last */
	char pass[SECRET_MAX + 1]; /* wiped once the entry was read */
};

/* An archive_passphrase_callback; the context is a struct passwords. */
const char *passwords_next(struct archive *, void *ctx);

/* The next entry begins. */
void passwords_entry(struct passwords *);

/*
 * The archive is opened once more to read the entry with another password than
 * the last.  The first time all are tried, since libarchive may have begun with
 * one that it remembered.
 */
void passwords_others(struct passwords *);

/* The archive is opened once more to read the entry with the last one first. */
void passwords_repeat(struct passwords *);

#endif
