#ifndef UNPACK_FRAME_H
#define UNPACK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/spawn.h"

/*
 * The messages on the two pipes between the process that holds the keys and its
 * child, which reads the archive.  The child sends frames.  The parent sends
 * one byte to let the child begin, and then passwords, one for each request.
 */

/* The child's descriptors: the archive and its ends of the pipes. */
#define FRAME_ARCHIVE  SPAWN_KEPT
#define FRAME_OUT      SPAWN_OUT
#define FRAME_PASSWORD SPAWN_IN

#define PATH_BYTES_MAX	   (64 * 1024) /* bytes of a path */
#define FRAME_TEXT	   4096 /* bytes of a fault or note */
#define FRAME_HEAD	   (36 * 1024) /* bytes of UNPACK_BIG */
#define UNPACK_PIECE_BYTES (1024 * 1024) /* bytes of UNPACK_PIECE */

/* The child's reports; unpack.h tells what each carries. */
enum unpack_event {
	/* The last event. */
	UNPACK_END,
	/* A whole regular file. */
	UNPACK_MEMBER,
	/* The first bytes of a file that is larger than the ceiling. */
	UNPACK_BIG,
	/* If pieces are wanted: the next bytes of that file. */
	UNPACK_PIECE,
	/* The end of its pieces, with a reason if the file breaks off. */
	UNPACK_PIECES_END,
	/*
	 * The start of an ESE database.  Its values and faults follow, each
	 * with a path that leads to its column.
	 */
	UNPACK_DATABASE,
	/* A value that may be a key or certificate. */
	UNPACK_VALUE,
	/* What the database is.  If pieces are wanted, they follow. */
	UNPACK_DATABASE_END,
	/* An unreadable member, or without a path the archive's rest. */
	UNPACK_FAULT,
	/* A note for -v, with the reason `link' for a link. */
	UNPACK_NOTE
};

/* Frames that are no event and that unpack_next() does not return. */
#define FRAME_ASK      0x100 /* a request for a password */
#define FRAME_PROGRESS 0x101 /* FRAME_STEP bytes more were unpacked */
#define FRAME_STEP     (64ULL << 20)

/* The ceilings, which both child and parent keep. */
struct unpack_limits {
	uint64_t members; /* number of members */
	uint64_t member; /* bytes of one member */
	uint64_t total; /* bytes unpacked in all */
	uint64_t cpu; /* seconds of processor time without progress */
	uint64_t memory; /* bytes of memory of the child */
	uint64_t warnings; /* number of warnings of libarchive */
	uint64_t wait; /* seconds without work while there is more to read */
	/* CPU seconds of key derivation, in the parent: see lock/budget.h. */
	uint64_t kdf; /* for one member */
	uint64_t kdfs; /* for all */
	int pieces; /* no ceiling: 1 if UNPACK_PIECE is wanted */
};

/* The head of a path of pathlen bytes and data of len bytes. */
struct frame {
	uint32_t event, pathlen;
	uint64_t len; /* in FRAME_ASK the number of the password */
	char reason[16];
};

/*
 * For the child: sends one frame.  Reason, path and data may be NULL; len is
 * sent even if data is NULL.  Exits if the parent is gone.
 */
void frame_send(uint32_t event, const char *reason, const char *path,
    const void *data, size_t len);

/*
 * For the child: asks for password number i of the member.  Returns 1 with the
 * password in pass, which has SECRET_MAX + 1 bytes and which the caller wipes;
 * 0 if none has this number, or -1 if there are no more.
 */
int frame_ask(const char *path, uint64_t i, char *pass);

/*
 * For the parent: sends a password, or NULL for no more.  Returns 1, or 0 with
 * errno.
 */
int frame_answer(int fd, const char *pass);

#endif
