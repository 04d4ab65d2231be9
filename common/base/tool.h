#ifndef BASE_TOOL_H
#define BASE_TOOL_H

/* What every tool does first and last. */

#define TOOL_VERSION "0.3"

/*
 * Sets up what all tools share: standard descriptors that are open, the locale
 * C.UTF-8, times in UTC, no core dumps, the memory of libcrypto (base/heap.h),
 * its default and legacy providers, no openssl.cnf.  Exits 2, with a message,
 * if something of it cannot be had.
 */
void tool_start(void);

/* Exits 2 if stdout is a terminal, which would show what: "binary data". */
void tool_no_terminal(const char *what);

/*
 * Comes before clear keys are written to stdout: exits 2 if it is a terminal,
 * and warns once if it is a file that others can read.
 */
void tool_clear_keys(void);

/*
 * Opens a file without a name in $TMPDIR or /tmp, for encrypted data.  Returns
 * its descriptor; exits 2, with a message, if there can be none.
 */
int tool_tmpfile(void);

/*
 * Returns the login name of whoever runs the tool, or the user number if there
 * is no name.  Its first call must come before the sandbox is entered.
 */
const char *tool_caller(void);

/*
 * Returns the next option of the command line that is the tool's own, as getopt(3)
 * does, or -1 after the last.  -h, -q, -V and -v, --help and --version are those of
 * every tool, and done here; what is no option exits 2, with the usage.
 */
int tool_option(int argc, char *argv[], const char *options, const char *usage);

/* Exits 2 if there is an operand behind the options. */
void tool_no_operand(int argc, char *argv[], const char *usage);

/* Says what is wrong with the command line, and the usage.  Exits 2. */
void tool_misused(const char *usage, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/*
 * Flushes and closes stdout.  Returns the exit status given; exits 2, with a
 * message, if output was lost.
 */
int tool_end(int status);

/*
 * Comes before a tool waits for input: flushes stdout, and wipes what is left
 * of keys in its buffer and on the stack.
 */
void tool_wait(void);

/* Comes before a tool changes an archive: then lost output is always said. */
void tool_changes(void);

/*
 * Exits 2 because standard output cannot be written (errno tells), with a message
 * unless whoever read it has ended.
 */
void tool_lost(void) __attribute__((noreturn));

#endif
