#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <sys/types.h>

/*
 * Shuts the process in, once its options are read and its files are open:
 * no new privileges, no file system but the one directory named, and system
 * calls that no tool ever makes (exec, sockets, signals, ptrace, mounts)
 * refused.
 * What kernel or build cannot do is a notice with -v, not a failure.
 */

/* The one process that may be killed from inside, a child of this one. */
void sandbox_may_kill(pid_t);

/* dir, with all in it, stays readable and writable; NULL: no file at all. */
void sandbox_enter(const char *dir);

#endif
