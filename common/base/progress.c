#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"

#define TERMINAL_MS 500 /* from line to line */
#define LOG_MS	    60000
#define COLUMNS	    80 /* where the terminal does not say */

/* State that the handler of SIGUSR1 reads too; it may be slightly old. */
static const char *volatile what;
static volatile unsigned long long done, faults;
static unsigned long long started, next; /* ms */
static unsigned long long every; /* ms; 0: only when asked */
static off_t size; /* of stdin, 0: not known */
static int terminal, shown;
static int yields; /* to a tool that knows how much is left */

static unsigned long long
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000 +
	    (unsigned long long)t.tv_nsec / 1000000;
}

/* A growing line; what does not fit is left out. */
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

/* Adds a number without stdio, which a handler may not use. */
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

/* Adds a number and its noun, with an s unless it is 1. */
static void
add_count(struct line *l, unsigned long long v, const char *these)
{
	add_number(l, v);
	add(l, " ");
	add(l, these);
	if (v == 1)
		l->n--;
}

/* Adds a time in seconds, as a reader who waits likes it. */
static void
add_time(struct line *l, unsigned long long s)
{
	add_number(l, s < 120 ? s : s < 7200 ? s / 60 : s / 3600);
	add(l, s < 120 ? " s" : s < 7200 ? " min" : " h");
}

/*
 * `tool: 12000 records, 3 faults, 12 s, 1000 a second, 30 s left', without the
 * parts that matter least where it must be brief: 0 to 3.
 */
static void
compose(struct line *l, int brief)
{
	unsigned long long ms = now() - started;
	off_t at = size > 0 ? lseek(STDIN_FILENO, 0, SEEK_CUR) : 0;

	add(l, program_invocation_short_name);
	add(l, ": ");
	add_count(l, done, what);
	if (brief < 3) {
		add(l, ", ");
		add_count(l, faults, "faults");
	}
	if (brief < 2) {
		add(l, ", ");
		add_time(l, ms / 1000);
	}
	if (brief < 1 && ms >= 1000) {
		add(l, ", ");
		add_number(l, done * 1000 / ms);
		add(l, " a second");
	}
	if (ms >= 1000 && at > 0 && at <= size) {
		add(l, ", ");
		add_time(l,
		    (unsigned long long)((double)ms / 1000 *
			(double)(size - at) / (double)at));
		add(l, " left");
	}
}

/* Shows the line, cut to the width of a terminal, which would scroll else. */
static void
show(const char *before, const char *after)
{
	struct line l = { "", 0 };
	struct winsize w = { 0, 0, 0, 0 };
	size_t head, room = sizeof(l.s);
	int brief = 0;

	if (terminal) {
		if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_col == 0)
			w.ws_col = COLUMNS;
		room = w.ws_col - 1U;
	}
	add(&l, before);
	head = l.n;
	do {
		l.n = head;
		compose(&l, brief);
	} while (l.n - head > room && ++brief < 4);
	if (l.n - head > room)
		l.n = head + room;
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
		show(msg_line_start(), "\n");
	errno = saved;
}

/* On the first byte of a terminal: held by the tool that shows its progress. */
static const struct flock speaker = { .l_type = F_WRLCK,
	.l_whence = SEEK_SET,
	.l_len = 1 };

/*
 * Returns 1 if this process shows the progress of the pipeline: the one with a
 * file for input, which holds that lock, else the last.
 */
static int
speaks(int file, int pipe)
{
	struct flock lock = speaker;

	if (msg_level > 0)
		return 1;
	if (msg_level < 0)
		return 0;
	yields = !file;
	return file ? fcntl(STDERR_FILENO, F_SETLK, &lock) == 0 : !pipe;
}

/* Returns 1 if another process shows it, or uses the terminal now. */
static int
silenced(void)
{
	struct flock lock = speaker;
	pid_t front = terminal ? tcgetpgrp(STDERR_FILENO) : -1;

	return (front != -1 && front != getpgrp()) ||
	    (yields && fcntl(STDERR_FILENO, F_GETLK, &lock) == 0 &&
		lock.l_type != F_UNLCK);
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
	terminal = msg_terminal();
	pipe = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
	if (!terminal)
		every = msg_level > 0 ? LOG_MS : 0;
	else if (speaks(size > 0, pipe))
		every = TERMINAL_MS;
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
	if (silenced())
		return;
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
