#ifndef UNPACK_PASSWORDS_H
#define UNPACK_PASSWORDS_H

#include <archive.h>
#include <stdint.h>

#include "base/secret.h"
#include "unpack/limits.h"

/*
 * Asks for the passwords of an encrypted archive, one by one.  Number 0 belongs
 * to one entry alone; those from 1 on serve all.  libarchive remembers those
 * that it was given, and tries them first, until the archive is closed.
 */
struct passwords {
	struct limits *limits;
	const char *path; /* of the entry; borrowed */
	uint64_t used; /* the highest number that was asked for */
	int own; /* 1: number 0 was asked for, for this entry */
	int again; /* 1: the archive was opened again for this entry */
	int given; /* 1: libarchive was given one since then */
	int tried; /* 1: libarchive was ever given one */
	uint64_t last; /* number of the last one given */
	char pass[SECRET_MAX + 1]; /* wiped once the entry was read */
};

/* An archive_passphrase_callback; the context is a struct passwords. */
const char *passwords_next(struct archive *, void *ctx);

/* Starts the next entry. */
void passwords_entry(struct passwords *);

/*
 * Opening the archive again: asks for passwords other than the last.  The first
 * time all are tried, since libarchive may have begun with one that it
 * remembered.
 */
void passwords_others(struct passwords *);

/* Opening the archive again: gives the last password first. */
void passwords_repeat(struct passwords *);

#endif
