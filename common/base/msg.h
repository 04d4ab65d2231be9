#ifndef BASE_MSG_H
#define BASE_MSG_H

/*
 * Messages on stderr in the form of err(3): `tool: what went wrong'.  What the
 * arguments bring in is escaped, so that no terminal obeys it.
 */

/* How much is said: -1 with -q, else how often -v was given. */
extern int msg_level;

/* If not NULL it is called before each message. */
extern void (*msg_before)(void);

/* Is stderr a terminal that takes a line away when told to? */
int msg_terminal(void);

/*
 * What must come before a line on stderr, so that it stands alone: on a terminal
 * another tool of the pipeline may tell there how far it is, or ask for a password.
 */
const char *msg_line_start(void);

/* Says something about one record or member, unless -q is given. */
void msg_record(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says something that only -v asks for. */
void msg_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints a line of a listing, without the name of the tool, always. */
void msg_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says something always. */
void msg_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says why the tool cannot go on and exits 2. */
void msg_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
