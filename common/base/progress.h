#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

/*
 * How far a tool is, on stderr: a line that rewrites itself where stderr is a
 * terminal and standard output goes to no other tool, or with -v; a line a
 * minute with -v where it is none; and one whenever SIGUSR1 comes.
 */

/* Counts what: "records", "members"; to be called once options are read. */
void progress_start(const char *what);

/* One more is done. */
void progress_tick(void);

/* One of them was a fault. */
void progress_fault(void);

/* Takes the line away, for a message or at the end. */
void progress_clear(void);

#endif
