#include "base/msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"

int msg_level;
void (*msg_before)(void);

int
msg_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

static int
is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

const char *
msg_line_start(void)
{
	struct termios t;
	int saved = errno;
	const char *start = "";

	if (tcgetattr(STDERR_FILENO, &t) == 0 && (t.c_lflag & ICANON) != 0 &&
	    (t.c_lflag & ECHO) == 0)
		start = "\n"; /* behind a question for a password */
	else if (msg_terminal() &&
	    (is_pipe(STDIN_FILENO) || is_pipe(STDOUT_FILENO)))
		start = "\r\033[K";
	errno = saved;
	return start;
}

static void write_line(const char *who, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static void print(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));

static void
write_line(const char *who, const char *fmt, va_list ap)
{
	char raw[2048], safe[2048];

	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	text_vis(safe, sizeof(safe), raw, strlen(raw));
	if (msg_before != NULL)
		msg_before();
	(void)fprintf(stderr, "%s%s%s%s\n", msg_line_start(), who,
	    *who == '\0' ? "" : ": ", safe);
}

static void
print(const char *fmt, va_list ap)
{
	write_line(program_invocation_short_name, fmt, ap);
}

void
msg_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line("", fmt, ap);
	va_end(ap);
}

void
msg_record(const char *fmt, ...)
{
	va_list ap;

	if (msg_level < 0)
		return;
	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}

void
msg_verbose(const char *fmt, ...)
{
	va_list ap;

	if (msg_level < 1)
		return;
	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}

void
msg_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}

void
msg_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
	exit(2);
}
