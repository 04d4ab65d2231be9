#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <sys/types.h>

/*
 * Restricts the process once its options are read and its files are open.  What
 * the kernel or the build cannot do is reported with -v, and is no failure.
 */

/* Names the one process, a child, that the sandbox lets the caller kill. */
void sandbox_may_kill(pid_t);

/*
 * Denies new privileges, files, and all calls that no tool makes: programs,
 * sockets, signals to others, mounts.  Files in dir stay readable and writable,
 * unless it is NULL.
 */
void sandbox_enter(const char *dir);

/*
 * For the process that reads an archive, which a hostile archive may take over.
 * Denies new privileges, files, and all calls but the few that read what is
 * open, allocate memory, and exit.
 */
void sandbox_reader(void);

#endif
