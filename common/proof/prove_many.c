#include "proof/prove_many.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/workers.h"

#define BATCH (32 * 1024) /* bytes of records that a process gets at once */
#define COUNT 130 /* batches in all */
#define SENT  (8 * 1024 * 1024) /* bytes of those that they have */

/* The most bytes of a record for another process; a batch starts with one. */
#define RECORD_SIZE (sizeof(struct rec) + REC_LINE_MAX + 2 * sizeof(size_t))
#define BATCH_SIZE  (BATCH + 2 * RECORD_SIZE)

/*
 * Records in work: the head of their stream, then each with its number.  They
 * are in memory that all processes see and only the caller can write: the lines
 * are sealed.
 */
struct batch {
	struct wire f; /* the records */
	size_t end; /* bytes of them */
	struct batch *next; /* in the list of spare ones */
};

struct prove_many {
	struct rec_in *in; /* what the stream is read from */
	struct stream_in *stream;
	prove_many_work *work;
	void *ctx; /* of work */
	struct workers *pool; /* NULL: the caller does the work */
	struct wire head; /* the head of the stream at hand */
	uint8_t *shared; /* the memory of the batches: COUNT * BATCH_SIZE */
	const uint8_t *seen; /* the same memory, that nobody can write here */
	struct batch batch[COUNT];
	struct batch *spare; /* batches without records */
	struct batch *filling; /* gets the next records; NULL: none yet */
	size_t sent; /* bytes of all batches that are given and not dropped */
	struct batch *oldest; /* is given out; NULL: none */
	struct wire answer; /* what the work made of the oldest */
	struct stream_in view; /* of a record that is given out */
	enum stream_event event; /* what comes after all these records */
	int ended; /* event was read */
};

/* In another process ------------------------------------------------------ */

/* Takes the head of a batch, unless the batch before had the same. */
static void
lead(struct prove_many *p, struct wire *f)
{
	struct wire head = { NULL, 0, 0 };
	struct rec r;

	head.p = (uint8_t *)wire_bytes(f, &head.size);
	if (head.size == p->head.at &&
	    memcmp(head.p, p->head.p, head.size) == 0)
		return;
	p->head.at = 0;
	wire_add(&p->head, head.p, head.size);
	rec_unpack(&r, &head);
	stream_lead(p->stream, &r);
}

/* Opens a batch, as a workers_work. */
static uint8_t *
work(void *ctx, uint8_t *job, size_t n, size_t *size)
{
	struct prove_many *p = ctx;
	struct stream_in *s = p->stream;
	struct wire f, answer = { NULL, 0, 0 };
	enum stream_event ev;
	size_t at;

	(void)n;
	memcpy(&at, job, sizeof(at));
	memcpy(&f.size, job + sizeof(at), sizeof(f.size));
	if (p->shared != NULL) { /* who parses what is hostile writes nothing */
		(void)munmap(p->shared, COUNT * BATCH_SIZE);
		p->shared = NULL;
	}
	f.p = (uint8_t *)(uintptr_t)p->seen + at;
	f.at = 0;
	lead(p, &f);
	while (f.at < f.size) {
		memcpy(&s->n, wire_next(&f, sizeof(s->n)), sizeof(s->n));
		rec_unpack(&s->rec, &f);
		ev = stream_open(s);
		wire_add(&answer, &ev, sizeof(ev));
		if (ev == STREAM_BAD)
			wire_add(&answer, &s->why, sizeof(s->why));
		else
			p->work(p->ctx, s, &answer);
	}
	stream_forget(s);
	*size = answer.at;
	return answer.p;
}

/* Here -------------------------------------------------------------------- */

/*
 * Makes memory that the processes share.  Returns 1, or 0 if ulimit -f prevents
 * that: then there is one process.
 */
static int
share(struct prove_many *p)
{
	struct batch *b;
	size_t i;
	int fd;

	if ((fd = memfd_create("batches", MFD_CLOEXEC | MFD_ALLOW_SEALING)) ==
	    -1)
		heap_nomem();
	if (ftruncate(fd, COUNT * BATCH_SIZE) == -1) {
		(void)close(fd);
		return 0;
	}
	p->shared = mmap(NULL, COUNT * BATCH_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p->shared == MAP_FAILED)
		heap_nomem();
	/* from here on nobody can map it writable, or make it so */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
	p->seen = mmap(NULL, COUNT * BATCH_SIZE, PROT_READ,
	    MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p->seen == MAP_FAILED)
		heap_nomem();
	(void)close(fd);
	for (i = 0; i < COUNT; i++) {
		b = &p->batch[i];
		b->f.p = p->shared + i * BATCH_SIZE;
		b->f.size = BATCH_SIZE;
		b->next = p->spare;
		p->spare = b;
	}
	return 1;
}

struct prove_many *
prove_many_new(struct rec_in *in, struct stream_in *s, int opens, unsigned jobs,
    unsigned ahead, int by, prove_many_work *fn, void *ctx)
{
	struct prove_many *p = calloc(1, sizeof(*p));

	if (p == NULL)
		heap_nomem();
	p->in = in;
	p->stream = s;
	p->work = fn;
	p->ctx = ctx;
	if (jobs > 1 && opens && share(p)) {
		p->pool = workers_new(jobs, ahead, by, work, p);
		s->apart = 1;
	}
	return p;
}

void
prove_many_free(struct prove_many *p)
{
	if (p == NULL)
		return;
	workers_free(p->pool);
	if (p->shared != NULL) {
		(void)munmap(p->shared, COUNT * BATCH_SIZE);
		(void)munmap((void *)(uintptr_t)p->seen, COUNT * BATCH_SIZE);
	}
	OPENSSL_free(p->answer.p);
	OPENSSL_free(p->head.p);
	free(p);
}

/* Gives the collected batch to a process. */
static void
send(struct prove_many *p)
{
	struct batch *b = p->filling;
	size_t n, at = (size_t)(b->f.p - p->shared);

	b->end = b->f.at;
	p->sent += b->end;
	workers_put(p->pool, &at, sizeof(at), &b->end, sizeof(b->end), b);
	b->f.at = 0;
	(void)wire_bytes(&b->f, &n); /* the head */
	p->filling = NULL;
}

/* Adds the record at hand to the batch. */
static void
collect(struct prove_many *p)
{
	const struct stream_in *s = p->stream;

	if (p->filling == NULL) {
		p->filling = p->spare;
		p->spare = p->filling->next;
		p->filling->f.at = 0;
		wire_add_bytes(&p->filling->f, p->head.p, p->head.at);
	}
	wire_add(&p->filling->f, &s->n, sizeof(s->n));
	rec_pack(&s->rec, &p->filling->f);
}

/* Reads one more record, or the event behind those that were read. */
static void
read_on(struct prove_many *p)
{
	struct stream_in *s = p->stream;

	p->event = stream_next(s);
	if (p->event == STREAM_REC) {
		collect(p);
		return;
	}
	p->ended = 1;
	if (p->event != STREAM_HEAD)
		return;
	p->head.at = 0;
	rec_pack(&s->rec, &p->head);
}

/* Takes the oldest batch from its process, once it is done. */
static void
fetch(struct prove_many *p)
{
	struct reason w;
	void *tag;

	p->answer.p = workers_get(p->pool, &p->answer.size, &tag);
	if (p->answer.p == NULL) { /* nothing can be said of its records */
		(void)workers_died(&w, p->answer.size);
		msg_die("a process of -j: %s", w.detail);
	}
	p->answer.at = 0;
	p->oldest = tag;
}

/* Gives the next record of the oldest batch. */
static enum stream_event
give(struct prove_many *p, struct wire **answer)
{
	enum stream_event ev;

	memcpy(&p->view.n, wire_next(&p->oldest->f, sizeof(p->view.n)),
	    sizeof(p->view.n));
	rec_unpack(&p->view.rec, &p->oldest->f);
	memcpy(&ev, wire_next(&p->answer, sizeof(ev)), sizeof(ev));
	if (ev == STREAM_BAD)
		memcpy(&p->view.why,
		    wire_next(&p->answer, sizeof(struct reason)),
		    sizeof(struct reason));
	else
		*answer = &p->answer;
	return ev;
}

/* Returns 1 if the oldest batch has records that were not given out. */
static int
has_more(const struct prove_many *p)
{
	return p->oldest != NULL && p->oldest->f.at < p->oldest->end;
}

/* Drops the oldest batch once all of it was given out. */
static void
drop(struct prove_many *p)
{
	if (p->oldest == NULL || has_more(p))
		return;
	p->sent -= p->oldest->end;
	p->oldest->next = p->spare;
	p->spare = p->oldest;
	p->oldest = NULL;
	OPENSSL_free(p->answer.p);
	memset(&p->answer, 0, sizeof(p->answer));
}

int
prove_many_busy(const struct prove_many *p)
{
	return p->filling != NULL || has_more(p) || p->ended ||
	    (p->pool != NULL && workers_busy(p->pool) > 0);
}

/* Returns 1 if the processes may have more. */
static int
room(const struct prove_many *p)
{
	return !workers_full(p->pool) && p->sent < SENT && p->spare != NULL;
}

enum stream_event
prove_many_next(struct prove_many *p, const struct stream_in **s,
    struct wire **answer)
{
	int wait, full;

	*answer = NULL;
	*s = p->stream;
	if (p->pool == NULL)
		return stream_next(p->stream);
	for (drop(p); p->oldest == NULL;) {
		/* nobody waits for input while records can be given out */
		wait = p->ended || !rec_in_ready(p->in, 0);
		full = p->filling != NULL && p->filling->f.at >= BATCH;
		if (p->filling != NULL && (wait || full) && room(p))
			send(p);
		else if (workers_busy(p->pool) > 0 && (wait || full))
			fetch(p);
		else if (p->ended) {
			p->ended = 0;
			if (p->event == STREAM_HEAD)
				p->view = *p->stream;
			return p->event;
		} else
			read_on(p);
	}
	*s = &p->view;
	return give(p, answer);
}

void
prove_many_say(struct wire *answer, int ok, const struct reason *w)
{
	wire_add(answer, &ok, sizeof(ok));
	if (!ok)
		wire_add(answer, w, sizeof(*w));
}

int
prove_many_said(struct wire *answer, struct reason *w)
{
	int ok;

	memcpy(&ok, wire_next(answer, sizeof(ok)), sizeof(ok));
	if (!ok)
		memcpy(w, wire_next(answer, sizeof(*w)), sizeof(*w));
	return ok;
}
