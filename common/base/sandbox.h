#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <sys/types.h>

/*
 * Shuts the process in once its options are read and its files are open.  What
 * kernel or build cannot do is a notice with -v, not a failure.
 */

/* Names the one process, a child, that may be killed from inside. */
void sandbox_may_kill(pid_t);

/*
 * From here on there are no new privileges, no files, and no calls that no tool
 * makes: programs, sockets, signals to others, mounts.  Files in dir stay
 * readable and writable; NULL is no directory at all.
 */
void sandbox_enter(const char *dir);

/*
 * For the process that reads an archive, which may fall into the hands of that
 * archive.  There are no new privileges and no files, and of all calls only the
 * few that read what is open, get memory, and end.
 */
void sandbox_reader(void);

#endif
