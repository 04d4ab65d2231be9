#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <sys/types.h>

/*
 * Other processes that work for the caller: forks of it, with a pipe in each
 * direction.  They die with the caller.
 */

/* The descriptors that such a process has; it has stderr too, and no other. */
#define SPAWN_IN   0 /* the pipe from the caller */
#define SPAWN_OUT  1 /* the pipe to the caller */
#define SPAWN_KEPT 3 /* the descriptor named at the start, if there was one */

struct spawn {
	pid_t pid; /* 0: there is no process */
	int to; /* the pipe to the process; does not block when it is full */
	int from; /* the pipe from the process */
};

/*
 * Starts a process that calls run(ctx) and then exits with status 0.  kept is
 * a descriptor for it to keep as SPAWN_KEPT, or -1.  The pipes hold a mebibyte
 * where the system allows it.  Returns 1, or 0 with errno.
 */
int spawn_start(struct spawn *, int kept, void (*run)(void *ctx), void *ctx);

/*
 * A process that starts others, which have the memory of the caller as it is now,
 * and nothing that comes later.  It must be there before the sandbox is entered.
 */
struct spawn_origin {
	pid_t pid; /* 0: there is no process */
	int fd; /* a socket to it */
};

/* Starts it; what it starts will call run(ctx).  Returns 1, or 0 with errno. */
int spawn_origin(struct spawn_origin *, void (*run)(void *ctx), void *ctx);

/* As spawn_start(), from there; the process is a child of the caller all the same. */
int spawn_from(const struct spawn_origin *, struct spawn *);

/* Ends it; those that it has started go on. */
void spawn_origin_end(struct spawn_origin *);

/*
 * Closes both pipes and waits until the process has ended: one that reads
 * SPAWN_IN to its end does so by itself.  Returns its exit status, or the
 * number of the signal that killed it as a negative number; 0 if there is no
 * process.
 */
int spawn_end(struct spawn *);

/* Kills the process, if it still runs, and then does as spawn_end(). */
int spawn_kill(struct spawn *);

#endif
