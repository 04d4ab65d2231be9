#include "base/progress.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"

#define TERMINAL_MS 500 /* from line to line */
#define LOG_MS	    60000

/* What the handler of SIGUSR1 reads too: it may be a moment old. */
static const char *volatile what;
static volatile unsigned long long done, faults;
static unsigned long long started, next; /* ms */
static unsigned long long every; /* ms; 0: only when asked */
static off_t size; /* of stdin, 0: not known */
static int terminal, shown;

static unsigned long long
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000 +
	    (unsigned long long)t.tv_nsec / 1000000;
}

/* A line that grows; what does not fit is left out. */
struct line {
	char s[256];
	size_t n;
};

static void
add(struct line *l, const char *s)
{
	size_t n = strlen(s);

	if (n > sizeof(l->s) - l->n)
		n = sizeof(l->s) - l->n;
	memcpy(l->s + l->n, s, n);
	l->n += n;
}

/* A number, without the help of stdio, which a handler may not use. */
static void
add_number(struct line *l, unsigned long long v)
{
	char digits[24], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	add(l, p);
}

/* `tool: 12000 records, 3 faults, 12 s, 1000 a second, 30 s left'. */
static void
show(const char *before, const char *after)
{
	unsigned long long ms = now() - started;
	struct line l = { "", 0 };
	off_t at = size > 0 ? lseek(STDIN_FILENO, 0, SEEK_CUR) : 0;

	add(&l, before);
	add(&l, program_invocation_short_name);
	add(&l, ": ");
	add_number(&l, done);
	add(&l, " ");
	add(&l, what);
	add(&l, ", ");
	add_number(&l, faults);
	add(&l, " faults, ");
	add_number(&l, ms / 1000);
	add(&l, " s");
	if (ms >= 1000) {
		add(&l, ", ");
		add_number(&l, done * 1000 / ms);
		add(&l, " a second");
	}
	if (ms >= 1000 && at > 0 && at <= size) {
		add(&l, ", ");
		add_number(&l,
		    (unsigned long long)((double)ms / 1000 *
			(double)(size - at) / (double)at));
		add(&l, " s left");
	}
	add(&l, after);
	if (write(STDERR_FILENO, l.s, l.n) == -1)
		return; /* who reads no messages misses nothing */
}

static void
asked(int sig)
{
	int saved = errno;

	(void)sig;
	if (what != NULL)
		show(shown ? "\r" : "", shown ? "\033[K\n" : "\n");
	errno = saved;
}

void
progress_start(const char *name)
{
	struct sigaction sa;
	struct stat st;
	int pipe;

	msg_before = progress_clear;
	started = now();
	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		size = st.st_size;
	terminal = isatty(STDERR_FILENO);
	pipe = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
	if (msg_level > 0 || (msg_level == 0 && terminal && !pipe))
		every = terminal ? TERMINAL_MS : LOG_MS;
	next = started + every;
	what = name;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = asked;
	sa.sa_flags = SA_RESTART;
	(void)sigaction(SIGUSR1, &sa, NULL);
}

void
progress_tick(void)
{
	unsigned long long t;

	done++;
	if (every == 0 || (t = now()) < next)
		return;
	next = t + every;
	show(terminal ? "\r" : "", terminal ? "\033[K" : "\n");
	shown = terminal;
}

void
progress_fault(void)
{
	faults++;
}

void
progress_clear(void)
{
	if (shown && write(STDERR_FILENO, "\r\033[K", 4) == 4)
		shown = 0;
}
