#include "base/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"

#define AHEAD 3 /* answers that wait, for each process */
#define PIPE  (1024 * 1024) /* bytes: what anybody may have */
#define END   SIZE_MAX /* in place of the size of a job */
#define PARTS 3 /* of what goes to another process: see message() */

struct worker {
	pid_t pid;
	int to, from; /* pipes; the first does not block */
	unsigned jobs; /* in hand: it answers in their order */
};

struct job {
	struct worker *worker;
	uint8_t *answer; /* NULL: not yet */
	size_t n;
	void *tag;
};

struct workers {
	struct worker *worker;
	unsigned workers, each; /* jobs that one has in hand, at most */
	struct job *ring;
	size_t size, oldest, used; /* of the ring */
};

/* Processes ------------------------------------------------------------- */

/* Reads all n bytes.  Returns 1, or 0 at the end of the input. */
static int
get(int fd, void *p, size_t n)
{
	char *s = p;
	ssize_t k;

	for (; n > 0; n -= (size_t)k, s += k) {
		while ((k = read(fd, s, n)) == -1 && errno == EINTR)
			continue;
		if (k == -1)
			msg_die("cannot read from another process of -j: %s",
			    strerror(errno));
		if (k == 0)
			return 0;
	}
	return 1;
}

/*
 * Writes what it can of some parts, and leaves the rest.  Returns 1, 0 if nobody
 * reads, or -1 if there is no room now.
 */
static int
put(int fd, struct iovec part[PARTS])
{
	ssize_t k;
	size_t i, n;

	while ((k = writev(fd, part, PARTS)) == -1 && errno == EINTR)
		continue;
	if (k == -1 && errno == EPIPE)
		return 0;
	if (k == -1 && errno == EAGAIN)
		return -1;
	if (k == -1)
		msg_die("cannot write to another process of -j: %s",
		    strerror(errno));
	for (i = 0; i < PARTS; i++, k -= (ssize_t)n) {
		n = (size_t)k < part[i].iov_len ? (size_t)k : part[i].iov_len;
		if (n > 0) /* NULL is no array */
			part[i].iov_base = (char *)part[i].iov_base + n;
		part[i].iov_len -= n;
	}
	return 1;
}

static size_t
left(const struct iovec part[PARTS])
{
	size_t i, n = 0;

	for (i = 0; i < PARTS; i++)
		n += part[i].iov_len;
	return n;
}

/* A size, and so many bytes in two parts. */
static void
message(struct iovec part[PARTS], size_t *size, const void *head, size_t nhead,
    const void *body, size_t nbody)
{
	part[0] = (struct iovec){ size, sizeof(*size) };
	part[1] = (struct iovec){ (void *)(uintptr_t)head, nhead };
	part[2] = (struct iovec){ (void *)(uintptr_t)body, nbody };
}

/* Does jobs until there are no more. */
static void __attribute__((noreturn))
serve(int in, int out, workers_work *work, void *ctx)
{
	struct iovec part[PARTS];
	uint8_t *job, *answer;
	size_t n, size;

	while (get(in, &n, sizeof(n)) && n != END) {
		if ((job = OPENSSL_malloc(n + 1)) == NULL)
			heap_nomem();
		if (!get(in, job, n))
			break;
		answer = work(ctx, job, n, &size);
		OPENSSL_free(job);
		message(part, &size, answer, size, NULL, 0);
		while (left(part) > 0)
			if (put(out, part) == 0)
				_exit(0);
		OPENSSL_free(answer);
		heap_scrub();
	}
	_exit(0);
}

/* The life of a process: it keeps two pipes and stderr. */
static void __attribute__((noreturn))
live(int in, int out, int by, workers_work *work, void *ctx)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		msg_die("cannot start another process for -j: %s",
		    strerror(errno));
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	if (nice(by) == -1) /* or -1 is what it is now */
		errno = 0;
	heap_forked();
	msg_level = 0; /* the parent says what the system lacks */
	sandbox_enter(NULL);
	serve(STDIN_FILENO, STDOUT_FILENO, work, ctx);
}

static void
start(struct worker *w, int by, workers_work *work, void *ctx)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) == -1 || pipe2(from, O_CLOEXEC) == -1 ||
	    (w->pid = fork()) == -1)
		msg_die("cannot start another process for -j: %s (-j 1 does "
			"without)",
		    strerror(errno));
	if (w->pid == 0)
		live(to[0], from[1], by, work, ctx);
	(void)close(to[0]);
	(void)close(from[1]);
	/* it works on while we do something else; if not, the less */
	(void)fcntl(to[1], F_SETPIPE_SZ, PIPE);
	(void)fcntl(from[0], F_SETPIPE_SZ, PIPE);
	(void)fcntl(to[1], F_SETFL, O_NONBLOCK);
	w->to = to[1];
	w->from = from[0];
}

struct workers *
workers_new(unsigned jobs, unsigned each, int by, workers_work *work, void *ctx)
{
	struct workers *p = calloc(1, sizeof(*p));
	size_t size = (size_t)jobs * (each + AHEAD);

	if (p == NULL ||
	    (p->worker = calloc(jobs, sizeof(*p->worker))) == NULL ||
	    (p->ring = calloc(size, sizeof(*p->ring))) == NULL)
		heap_nomem();
	p->size = size;
	p->each = each;
	for (; p->workers < jobs; p->workers++)
		start(&p->worker[p->workers], by, work, ctx);
	return p;
}

void
workers_free(struct workers *p)
{
	struct iovec part[PARTS];
	size_t end = END;
	unsigned i;

	if (p == NULL)
		return;
	for (i = 0; i < p->workers; i++) {
		message(part, &end, NULL, 0, NULL, 0);
		(void)put(p->worker[i].to, part);
		(void)close(p->worker[i].to);
		(void)close(p->worker[i].from);
	}
	for (i = 0; i < p->workers; i++)
		(void)waitpid(p->worker[i].pid, NULL, 0);
	free(p->worker);
	free(p->ring);
	free(p);
}

/* Jobs ------------------------------------------------------------------- */

/* A process is gone: it has said why, or something killed it. */
static void __attribute__((noreturn)) gone(const struct worker *w)
{
	int status = 0;

	(void)waitpid(w->pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		exit(2);
	if (WIFSIGNALED(status))
		msg_die("a process of -j died of signal %d (%s): run again",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	msg_die("a process of -j stopped: run again");
}

/* Takes an answer of a process that has one, or has half of it. */
static void
collect(struct workers *p, struct worker *w)
{
	size_t i = p->oldest;
	struct job *j;

	while ((j = &p->ring[i % p->size])->worker != w || j->answer != NULL)
		i++;
	if (!get(w->from, &j->n, sizeof(j->n)))
		gone(w);
	if ((j->answer = OPENSSL_malloc(j->n + 1)) == NULL)
		heap_nomem();
	if (!get(w->from, j->answer, j->n))
		gone(w);
	w->jobs--;
}

/* Waits for an answer, or more; or until there is room for what goes to w. */
static void
wait_any(struct workers *p, const struct worker *w)
{
	struct pollfd fd[JOBS_MAX + 1];
	unsigned i, n = p->workers;

	for (i = 0; i < n; i++) {
		fd[i].fd = p->worker[i].jobs == 0 ? -1 : p->worker[i].from;
		fd[i].events = POLLIN;
		fd[i].revents = 0;
	}
	fd[n].fd = w == NULL ? -1 : w->to;
	fd[n].events = POLLOUT;
	if (poll(fd, n + 1, -1) == -1 && errno != EINTR)
		msg_die("cannot wait for another process of -j: %s",
		    strerror(errno));
	for (i = 0; i < n; i++)
		if (fd[i].revents != 0)
			collect(p, &p->worker[i]);
}

/* The process with the fewest jobs in hand. */
static struct worker *
idlest(struct workers *p)
{
	struct worker *w;
	unsigned i;

	for (;;) {
		w = &p->worker[0];
		for (i = 1; i < p->workers; i++)
			if (p->worker[i].jobs < w->jobs)
				w = &p->worker[i];
		if (w->jobs < p->each)
			return w;
		wait_any(p, NULL);
	}
}

size_t
workers_busy(const struct workers *p)
{
	return p->used;
}

int
workers_full(const struct workers *p)
{
	return p->used == p->size;
}

void
workers_put(struct workers *p, const void *head, size_t nhead, const void *body,
    size_t nbody, void *tag)
{
	struct worker *w = idlest(p);
	struct job *j = &p->ring[(p->oldest + p->used++) % p->size];
	size_t n = nhead + nbody;
	struct iovec part[PARTS];
	int rc;

	j->worker = w;
	j->answer = NULL;
	j->tag = tag;
	w->jobs++;
	message(part, &n, head, nhead, body, nbody);
	while (left(part) > 0)
		if ((rc = put(w->to, part)) == 0)
			gone(w);
		else if (rc == -1)
			/* it may wait for us to take an answer */
			wait_any(p, w);
}

uint8_t *
workers_get(struct workers *p, size_t *n, void **tag)
{
	struct job *j = &p->ring[p->oldest];

	while (j->answer == NULL)
		wait_any(p, NULL);
	p->oldest = (p->oldest + 1) % p->size;
	p->used--;
	*n = j->n;
	*tag = j->tag;
	return j->answer;
}

/* How many --------------------------------------------------------------- */

unsigned
workers_processors(void)
{
	cpu_set_t set;
	int n = 1;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > JOBS_MAX ? JOBS_MAX : (unsigned)n;
}

void
workers_jobs(const char *arg, unsigned *jobs)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end != '\0' || n < 1 || n > JOBS_MAX)
		msg_die("-j %s: not a number from 1 to %d", arg, JOBS_MAX);
	*jobs = (unsigned)n;
}
