#include "base/workers.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/spawn.h"

#define AHEAD 3 /* answers that may wait, for each process */
#define PARTS 3 /* of what goes through a pipe: see message() */

struct worker {
	struct spawn process;
	unsigned jobs; /* it has in hand, and answers in their order */
};

struct job {
	struct worker *worker; /* has it in hand, or had it */
	uint8_t *answer; /* NULL: there is none yet */
	size_t n; /* bytes of the answer */
	void *tag; /* the caller's */
};

struct workers {
	workers_work *work;
	void *ctx; /* of work */
	int by; /* how nice the processes are */
	struct worker *worker;
	unsigned workers; /* number of them */
	unsigned each; /* jobs that one has in hand, at most */
	struct job *ring; /* all jobs, in the order in which they came */
	size_t size; /* of the ring */
	size_t oldest; /* index of the oldest job */
	size_t used; /* number of jobs */
};

/* Processes ------------------------------------------------------------- */

/* Reads all n bytes.  Returns 1, or 0 at the end of the input. */
static int
get(int fd, void *p, size_t n)
{
	ssize_t k = io_read_all(fd, p, n);

	if (k == -1)
		msg_die("cannot read from another process of -j: %s",
		    strerror(errno));
	return (size_t)k == n;
}

/*
 * Writes what it can of some parts, and leaves the rest.  Returns 1, 0 if
 * nobody reads, or -1 if there is no room now.
 */
static int
put(int fd, struct iovec part[PARTS])
{
	ssize_t k = io_writev(fd, part, PARTS);

	if (k == -1 && errno == EPIPE)
		return 0;
	if (k == -1 && errno == EAGAIN)
		return -1;
	if (k == -1)
		msg_die("cannot write to another process of -j: %s",
		    strerror(errno));
	io_skip(part, PARTS, (size_t)k);
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

/* The life of a process: does jobs until there are no more. */
static void
serve(void *ctx)
{
	const struct workers *p = ctx;
	struct iovec part[PARTS];
	uint8_t *job, *answer;
	size_t n, size;

	if (nice(p->by) == -1) /* or -1 is what it is now */
		errno = 0;
	heap_forked();
	msg_level = 0; /* the parent says what the system lacks */
	sandbox_enter(NULL);
	while (get(SPAWN_IN, &n, sizeof(n))) {
		if ((job = OPENSSL_malloc(n + 1)) == NULL)
			heap_nomem();
		if (!get(SPAWN_IN, job, n))
			break;
		answer = p->work(p->ctx, job, n, &size);
		OPENSSL_free(job);
		message(part, &size, answer, size, NULL, 0);
		if (!io_writev_all(SPAWN_OUT, part, PARTS))
			break; /* nobody reads it */
		OPENSSL_free(answer);
		heap_scrub();
	}
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
	p->by = by;
	p->work = work;
	p->ctx = ctx;
	for (; p->workers < jobs; p->workers++)
		if (!spawn_start(&p->worker[p->workers].process, -1, serve, p))
			msg_die("cannot start another process for -j: %s (-j 1 "
				"does without)",
			    strerror(errno));
	return p;
}

void
workers_free(struct workers *p)
{
	unsigned i;

	if (p == NULL)
		return;
	for (i = 0; i < p->workers; i++)
		(void)spawn_end(&p->worker[i].process);
	free(p->worker);
	free(p->ring);
	free(p);
}

/* Jobs ------------------------------------------------------------------- */

/* A process is gone: it has said why, or something killed it. */
static void __attribute__((noreturn)) gone(struct worker *w)
{
	int status = spawn_end(&w->process);

	if (status == 2)
		exit(2);
	if (status < 0)
		msg_die("a process of -j died of signal %d (%s): run again",
		    -status, strsignal(-status));
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
	if (!get(w->process.from, &j->n, sizeof(j->n)))
		gone(w);
	if ((j->answer = OPENSSL_malloc(j->n + 1)) == NULL)
		heap_nomem();
	if (!get(w->process.from, j->answer, j->n))
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
		fd[i].fd = p->worker[i].jobs == 0 ? -1 :
						    p->worker[i].process.from;
		fd[i].events = POLLIN;
		fd[i].revents = 0;
	}
	fd[n].fd = w == NULL ? -1 : w->process.to;
	fd[n].events = POLLOUT;
	if (io_poll(fd, n + 1, -1) == -1)
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
		if ((rc = put(w->process.to, part)) == 0)
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
