#ifndef UNPACK_FRAME_H
#define UNPACK_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/spawn.h"

/*
 * What goes over the two pipes between the process that holds the keys and its
 * child, which reads the archive.  The child sends frames.  The parent sends one
 * byte when the child may begin, and then passwords, each when it is asked.
 */

/* Where the child finds the archive and its ends of the pipes. */
#define FRAME_ARCHIVE  SPAWN_KEPT
#define FRAME_OUT      SPAWN_OUT
#define FRAME_PASSWORD SPAWN_IN

#define PATH_BYTES_MAX	   (64 * 1024) /* bytes of a path */
#define FRAME_TEXT	   4096 /* bytes of a fault or note */
#define FRAME_HEAD	   (36 * 1024) /* bytes of UNPACK_BIG */
#define UNPACK_PIECE_BYTES (1024 * 1024) /* bytes of UNPACK_PIECE */

/* What the child reports; see unpack.h for what each carries. */
enum unpack_event {
	/* Nothing follows. */
	UNPACK_END,
	/* A whole regular file. */
	UNPACK_MEMBER,
	/* The first bytes of a file that is larger than the ceiling. */
	UNPACK_BIG,
	/* If pieces are wanted: the next bytes of that file, from its first. */
	UNPACK_PIECE,
	/* That was its last piece; with a reason if the file breaks off. */
	UNPACK_PIECES_END,
	/*
	 * An ESE database.  Until its end follow values, and faults of what is
	 * lost in it, each with the path that leads to its column.
	 */
	UNPACK_DATABASE,
	/* What may be a key or certificate. */
	UNPACK_VALUE,
	/* What it is.  If pieces are wanted, all of it follows as pieces. */
	UNPACK_DATABASE_END,
	/* A member that cannot be had; without a path: the archive's rest. */
	UNPACK_FAULT,
	/* Of interest with -v.  The reason is `link' for a link. */
	UNPACK_NOTE
};

/* In place of an event; unpack_next() does not return these. */
#define FRAME_ASK      0x100 /* asks for a password */
#define FRAME_PROGRESS 0x101 /* FRAME_STEP bytes more were unpacked */
#define FRAME_STEP     (64ULL << 20)

/* The ceilings that the child keeps, and the parent too. */
struct unpack_limits {
	uint64_t members; /* number of members */
	uint64_t member; /* bytes of one member */
	uint64_t total; /* bytes unpacked in all */
	uint64_t cpu; /* seconds of processor time without progress */
	uint64_t memory; /* bytes of memory of the child */
	uint64_t warnings; /* number of warnings of libarchive */
	uint64_t wait; /* seconds without work, if there is more to read */
	/* Not the child's: CPU seconds of key derivation, see lock/budget.h. */
	uint64_t kdf; /* for one member */
	uint64_t kdfs; /* for all */
	int pieces; /* not a ceiling: 1 if UNPACK_PIECE is wanted */
};

/* Goes before a path of pathlen bytes and data of len bytes. */
struct frame {
	uint32_t event, pathlen;
	uint64_t len; /* of FRAME_ASK: the number of the password */
	char reason[16];
};

/*
 * For the child: sends one frame.  Reason, path and data may be NULL; len is sent
 * even if data is NULL.  If the parent is gone the child ends.
 */
void frame_send(uint32_t event, const char *reason, const char *path,
    const void *data, size_t len);

/*
 * For the child: asks for password number i of the member.  Returns 1 with the
 * password in pass, which has SECRET_MAX + 1 bytes and is the caller's to wipe;
 * 0 if there is none with this number, or -1 if there are no more.
 */
int frame_ask(const char *path, uint64_t i, char *pass);

/*
 * For the parent: sends the answer, NULL if there are no more.  Returns 1, or 0
 * with errno.
 */
int frame_answer(int fd, const char *pass);

#endif
