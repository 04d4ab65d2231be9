#ifndef BASE_TOOL_H
#define BASE_TOOL_H

/* What every tool does first and last. */

#define TOOL_VERSION "0.1"

/*
 * Sets up what all tools share: open standard descriptors, UTF-8 locale,
 * no core dumps, memory that is wiped when libcrypto frees it, a secure heap
 * of 4 MiB, the default and legacy providers, no openssl.cnf.
 * Exits 2, with a message, if that cannot be had.
 */
void tool_start(void);

/* Refuses (exit 2) to write to a terminal; what: "binary data", ... */
void tool_no_terminal(const char *what);

/*
 * Says that clear keys will be written: refuses a terminal, and warns, once, of
 * a file that others can read.
 */
void tool_clear_keys(void);

/*
 * A file without a name in $TMPDIR or /tmp, for what is encrypted.  Exits 2
 * if there can be none.
 */
int tool_tmpfile(void);

/* Login name of whoever runs the tool, or its number; call it before the
 * sandbox is entered. */
const char *tool_caller(void);

/*
 * Handles -q, -v and -V; says what getopt(3), told by "+:" to be silent, found
 * wrong.  Returns 1, or 0 if c is another option.
 */
int tool_option(int c);

/* Prints `usage: TOOL args' and exits 2. */
void tool_usage(const char *args) __attribute__((noreturn));

/*
 * Flushes and closes stdout.  Returns the exit status: the one given, or 2,
 * with a message, when output was lost.
 */
int tool_end(int status);

/*
 * Before a tool waits, for however long: writes out what is ready, and wipes
 * what may be left of it, or of any key, in the buffer of stdout and on the
 * stack.
 */
void tool_wait(void);

/* Exits 2 because standard output cannot be written (errno tells). */
void tool_lost(void) __attribute__((noreturn));

#endif
