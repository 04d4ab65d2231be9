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
 * Closes both pipes and waits until the process has ended: one that reads
 * SPAWN_IN to its end does so by itself.  Returns its exit status, or the
 * number of the signal that killed it as a negative number; 0 if there is no
 * process.
 */
int spawn_end(struct spawn *);

/* Kills the process, if it still runs, and then does as spawn_end(). */
int spawn_kill(struct spawn *);

#endif
