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
	unsigned starts; /* of this process and those that died in its place */
};

struct job {
	struct worker *worker; /* has it in hand; NULL: there is an answer */
	uint8_t *p; /* the job, then its answer, if there is one */
	size_t n; /* bytes of it */
	int died; /* a process died of it: there is no answer */
	int signal; /* that the process died of; 0: none */
	void *tag; /* the caller's */
};

struct workers {
	workers_work *work;
	void *ctx; /* of work */
	int by; /* how nice the processes are */
	struct spawn_origin origin; /* of processes to come, if there is one */
	int beside; /* it is that of others */
	struct worker *worker;
	unsigned workers; /* number of them */
	unsigned each; /* jobs that one has in hand, at most */
	struct job *ring; /* all jobs, in the order in which they came */
	size_t size; /* of the ring */
	size_t oldest; /* index of the oldest job */
	size_t used; /* number of jobs */
	uint8_t
	    *lost; /* the job that workers_get() had no answer to, or NULL */
	size_t nlost; /* bytes of it */
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
 * Writes as much of some parts as it can, and leaves the rest.  Returns 1, 0 if
 * the reader is gone, or -1 if there is no room now.
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

/* Writes a size, and so many bytes in two parts. */
static void
message(struct iovec part[PARTS], size_t *size, const void *head, size_t nhead,
    const void *body, size_t nbody)
{
	part[0] = (struct iovec){ size, sizeof(*size) };
	part[1] = (struct iovec){ (void *)(uintptr_t)head, nhead };
	part[2] = (struct iovec){ (void *)(uintptr_t)body, nbody };
}

/* Runs a process: does jobs until there are no more. */
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

/* Jobs ------------------------------------------------------------------- */

static void wait_any(struct workers *, const struct worker *);
static void collect(struct workers *, struct worker *);

static void
start(struct workers *p, struct worker *w)
{
	if (!(p->origin.pid != 0 ? spawn_from(&p->origin, &w->process) :
				   spawn_start(&w->process, -1, serve, p)))
		msg_die("cannot start another process for -j: %s (-j 1 does "
			"without)",
		    strerror(errno));
	w->starts++;
}

/* Sends a job to its process. */
static void
send(struct workers *p, struct worker *w, const struct job *j)
{
	unsigned starts = w->starts;
	struct iovec part[PARTS];
	size_t n = j->n;
	int rc;

	message(part, &n, j->p, n, NULL, 0);
	/* a process that starts anew is sent all that it has in hand */
	while (left(part) > 0 && w->starts == starts)
		if ((rc = put(w->process.to, part)) == 0)
			/* before it died it may have answered others */
			collect(p, w);
		else if (rc == -1)
			/* it may wait for us to take an answer */
			wait_any(p, w);
}

/*
 * Handles the death of a process, which takes the oldest job it has in hand
 * with it.  A new process gets the other jobs.
 */
static void
died(struct workers *p, struct worker *w)
{
	int status = spawn_end(&w->process);
	struct job *j, *at = NULL;
	unsigned starts;
	size_t i;

	if (status == 2) /* it has said why nothing can go on */
		exit(2);
	start(p, w);
	starts = w->starts;
	for (i = 0; i < p->used && w->starts == starts; i++) {
		j = &p->ring[(p->oldest + i) % p->size];
		if (j->worker != w)
			continue;
		if (at != NULL) {
			send(p, w, j);
			continue;
		}
		at = j;
		j->died = 1;
		j->signal = status < 0 ? -status : 0;
		j->worker = NULL;
		w->jobs--;
	}
}

/* Takes an answer, or part of one, from a process. */
static void
collect(struct workers *p, struct worker *w)
{
	size_t i = p->oldest, n;
	uint8_t *answer;
	struct job *j;

	while ((j = &p->ring[i % p->size])->worker != w)
		i++;
	if (!get(w->process.from, &n, sizeof(n))) {
		died(p, w);
		return;
	}
	if ((answer = OPENSSL_malloc(n + 1)) == NULL)
		heap_nomem();
	if (!get(w->process.from, answer, n)) {
		OPENSSL_free(answer);
		died(p, w);
		return;
	}
	OPENSSL_free(j->p);
	j->p = answer;
	j->n = n;
	j->worker = NULL;
	w->jobs--;
}

/* Waits until there are answers, or room for what goes to w. */
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
		/* what one answer led to may have taken the next */
		if (fd[i].revents != 0 && p->worker[i].jobs > 0 &&
		    fd[i].fd == p->worker[i].process.from)
			collect(p, &p->worker[i]);
}

/* Allocates room for so many processes, and starts none. */
static struct workers *
make(unsigned jobs, unsigned each)
{
	struct workers *p = calloc(1, sizeof(*p));
	size_t size = (size_t)jobs * (each + AHEAD);

	if (p == NULL ||
	    (p->worker = calloc(jobs, sizeof(*p->worker))) == NULL ||
	    (p->ring = calloc(size, sizeof(*p->ring))) == NULL)
		heap_nomem();
	p->size = size;
	p->each = each;
	return p;
}

struct workers *
workers_new(unsigned jobs, unsigned each, int by, workers_work *work, void *ctx)
{
	struct workers *p = make(jobs, each);

	p->by = by;
	p->work = work;
	p->ctx = ctx;
	for (; p->workers < jobs; p->workers++)
		start(p, &p->worker[p->workers]);
	return p;
}

void
workers_keep(struct workers *p)
{
	if (!spawn_origin(&p->origin, serve, p))
		msg_die("cannot start another process for -j: %s (-j 1 does "
			"without)",
		    strerror(errno));
}

struct workers *
workers_beside(const struct workers *other)
{
	struct workers *p = make(1, 1);

	p->origin = other->origin;
	p->beside = 1;
	p->workers = 1;
	start(p, &p->worker[0]);
	return p;
}

void
workers_free(struct workers *p)
{
	unsigned i;

	if (p == NULL)
		return;
	if (!p->beside)
		spawn_origin_end(&p->origin);
	for (i = 0; i < p->workers; i++)
		(void)spawn_end(&p->worker[i].process);
	while (p->used > 0)
		OPENSSL_free(p->ring[(p->oldest + --p->used) % p->size].p);
	OPENSSL_free(p->lost);
	free(p->worker);
	free(p->ring);
	free(p);
}

/* Returns the process with the fewest jobs in hand. */
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

int
workers_idle(const struct workers *p)
{
	unsigned i;

	for (i = 0; i < p->workers; i++)
		if (p->worker[i].jobs == 0)
			return 1;
	return 0;
}

void
workers_put(struct workers *p, const void *head, size_t nhead, const void *body,
    size_t nbody, void *tag)
{
	struct worker *w = idlest(p);
	struct job *j = &p->ring[(p->oldest + p->used++) % p->size];

	j->worker = w;
	j->died = 0;
	j->tag = tag;
	j->n = nhead + nbody;
	if ((j->p = OPENSSL_malloc(j->n + 1)) == NULL)
		heap_nomem();
	if (nhead > 0)
		memcpy(j->p, head, nhead);
	if (nbody > 0)
		memcpy(j->p + nhead, body, nbody);
	w->jobs++;
	send(p, w, j);
}

uint8_t *
workers_get(struct workers *p, size_t *n, void **tag)
{
	struct job *j = &p->ring[p->oldest];

	while (j->worker != NULL)
		wait_any(p, NULL);
	p->oldest = (p->oldest + 1) % p->size;
	p->used--;
	*tag = j->tag;
	OPENSSL_free(p->lost);
	p->lost = NULL;
	if (!j->died) {
		*n = j->n;
		return j->p;
	}
	p->lost = j->p;
	p->nlost = j->n;
	*n = (size_t)j->signal;
	return NULL;
}

uint8_t *
workers_lost(struct workers *p, size_t *n)
{
	uint8_t *job = p->lost;

	p->lost = NULL;
	*n = p->nlost;
	return job;
}

int
workers_died(struct reason *w, size_t n)
{
	return n == 0 ?
	    reason_set(w, "reader",
		"the process that read it stopped: run again") :
	    reason_set(w, "reader",
		"the process that read it was killed by signal %d (%s): "
		"the file is hostile, or a library has a fault",
		(int)n, strsignal((int)n));
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
