#include "base/msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int msg_level;
void (*msg_before)(void);

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
	(void)fprintf(stderr, "%s%s%s\n", who, *who == '\0' ? "" : ": ", safe);
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
