#ifndef BASE_TOOL_H
#define BASE_TOOL_H

/* What every tool does first and last. */

#define TOOL_VERSION "0.3"

/*
 * Sets up what all tools share: open standard descriptors, the locale C.UTF-8,
 * times in UTC, no core dumps, the memory of libcrypto (base/heap.h), its
 * default and legacy providers, no openssl.cnf.  Exits 2, with a message, on
 * failure.
 */
void tool_start(void);

/* Exits 2 if stdout is a terminal.  what is the output: "binary data". */
void tool_no_terminal(const char *what);

/*
 * Must come before clear keys are written to stdout.  Exits 2 if stdout is a
 * terminal, and warns once if it is a file that others can read.
 */
void tool_clear_keys(void);

/*
 * Opens an unnamed file in $TMPDIR or /tmp, for encrypted data.  Returns its
 * descriptor.  Exits 2, with a message, on failure.
 */
int tool_tmpfile(void);

/*
 * Returns the login name of the user of the tool, or the user number if there
 * is no name.  The first call must come before the sandbox is entered.
 */
const char *tool_caller(void);

/*
 * Returns the next of the tool's own options, as getopt(3) does, or -1 after
 * the last.  Handles -h, -q, -V, -v, --help and --version, which every tool
 * has.  Exits 2, with the usage, at any other option.
 */
int tool_option(int argc, char *argv[], const char *options, const char *usage);

/* Exits 2 if an operand follows the options. */
void tool_no_operand(int argc, char *argv[], const char *usage);

/* Prints what is wrong with the command line, and the usage.  Exits 2. */
void tool_misused(const char *usage, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/*
 * Flushes and closes stdout.  Returns the exit status given.  Exits 2, with a
 * message, if output was lost.
 */
int tool_end(int status);

/*
 * Must come before a tool waits for input.  Flushes stdout, and wipes what is
 * left of keys in its buffer and on the stack.
 */
void tool_wait(void);

/* Comes before an archive is changed: lost output is always reported then. */
void tool_changes(void);

/*
 * Exits 2 because stdout cannot be written (errno tells), with a message unless
 * its reader has ended.
 */
void tool_lost(void) __attribute__((noreturn));

#endif
