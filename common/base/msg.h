#ifndef BASE_MSG_H
#define BASE_MSG_H

/*
 * Messages on stderr, in the form of err(3): `tool: what went wrong'.
 * What the arguments bring in is escaped: nothing a terminal could obey.
 */

/* -1 with -q, 0, or the number of -v */
extern int msg_level;

/* Called before each message if set: progress_start() takes its line away. */
extern void (*msg_before)(void);

/* About one record or member; silent with -q. */
void msg_record(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Extra, only with -v. */
void msg_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line of a listing, without the tool's name; who calls it looks at -v. */
void msg_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Always. */
void msg_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Always, then exit 2.  For main, usage and a broken stdin or stdout only. */
void msg_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
