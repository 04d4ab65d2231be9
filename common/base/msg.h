#ifndef BASE_MSG_H
#define BASE_MSG_H

/*
 * Messages on stderr in the form of err(3): `tool: what went wrong'.  What the
 * arguments contribute is escaped, so that no terminal obeys it.
 */

/* How much is said: -1 with -q, else how often -v was given. */
extern int msg_level;

/* Called before each message, unless it is NULL. */
extern void (*msg_before)(void);

/* Returns 1 if stderr is a terminal that erases a line when told to, else 0. */
int msg_terminal(void);

/*
 * Returns what must come before a line on stderr.  On a terminal it erases the
 * line, which may be another tool's progress or prompt.
 */
const char *msg_line_start(void);

/* Prints a message about one record or member, unless -q is given. */
void msg_record(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a message only if -v is given. */
void msg_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a line of a listing, without the name of the tool, even with -q. */
void msg_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a message, even with -q. */
void msg_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints why the tool cannot go on, and exits 2. */
void msg_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
