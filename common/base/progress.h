#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

/*
 * Reports the progress of a tool on stderr.  On a terminal the line rewrites
 * itself; in a pipeline the tool whose input is a file shows it, else the last
 * one, or every one with -v.  Elsewhere -v prints a line each minute.  SIGUSR1
 * always prints one at once.
 */

/* Starts, after the options.  what is counted: "records" or "members". */
void progress_start(const char *what);

/* Counts one as done. */
void progress_tick(void);

/* Counts one of those done as a fault. */
void progress_fault(void);

/* Erases the line: at the end, and before a message. */
void progress_clear(void);

#endif
