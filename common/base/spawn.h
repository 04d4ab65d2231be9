#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <sys/types.h>

/*
 * Processes that work for the caller: forks of it, with a pipe in each
 * direction.  They die with the caller.
 */

/* The descriptors of such a process, which also has stderr, and no others. */
#define SPAWN_IN   0 /* the pipe from the caller */
#define SPAWN_OUT  1 /* the pipe to the caller */
#define SPAWN_KEPT 3 /* the descriptor `kept', if there was one */

struct spawn {
	pid_t pid; /* 0: there is no process */
	int to; /* the pipe to the process; a full one does not block */
	int from; /* the pipe from the process */
};

/*
 * Starts a process that calls run(ctx) and then exits with status 0.  kept is a
 * descriptor that it keeps as SPAWN_KEPT, or -1.  The pipes hold a mebibyte
 * where the system allows it.  Returns 1, or 0 with errno.
 */
int spawn_start(struct spawn *, int kept, void (*run)(void *ctx), void *ctx);

/*
 * A process that starts others, with the memory that the caller had when this
 * process was started.  It must be started before the sandbox is entered.
 */
struct spawn_origin {
	pid_t pid; /* 0: there is no process */
	int fd; /* a socket to it */
};

/* Starts it; its processes will call run(ctx).  Returns 1, or 0 with errno. */
int spawn_origin(struct spawn_origin *, void (*run)(void *ctx), void *ctx);

/* Starts a child of the caller from there.  Returns 1, or 0 with errno. */
int spawn_from(const struct spawn_origin *, struct spawn *);

/* Ends the origin.  The processes that it has started go on. */
void spawn_origin_end(struct spawn_origin *);

/*
 * Closes both pipes and waits until the process has ended; one that reads
 * SPAWN_IN to its end does so by itself.  Returns its exit status, minus the
 * signal that killed it, or 0 if there is no process.
 */
int spawn_end(struct spawn *);

/* Kills the process, if it still runs, and then does as spawn_end(). */
int spawn_kill(struct spawn *);

#endif
