#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

/*
 * How far a tool is, told on stderr.  On a terminal the line rewrites itself; of
 * a pipeline the tool with a file for input tells it, else the last, or each with
 * -v.  Elsewhere a line comes each minute with -v.  SIGUSR1 makes one line come
 * at once, in any case.
 */

/* Starts; what is counted: "records", "members".  Comes after the options. */
void progress_start(const char *what);

/* Counts one that is done. */
void progress_tick(void);

/* Counts one of these as a fault. */
void progress_fault(void);

/* Takes the line away: at the end, and before a message. */
void progress_clear(void);

#endif
