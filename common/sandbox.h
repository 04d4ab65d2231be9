#ifndef SANDBOX_H
#define SANDBOX_H

/*
 * Shuts the process in, once its options are read and its files are open:
 * no new privileges, no file system but the one directory named, and system
 * calls that no tool ever makes (exec, sockets, ptrace, mounts) refused.
 * What kernel or build cannot do is a notice with -v, not a failure.
 */

/* dir, with all in it, stays readable and writable; NULL: no file at all. */
void sandbox_enter(const char *dir);

#endif
