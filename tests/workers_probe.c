/*
 * A pool whose processes have several jobs in hand, some of them, and some
 * answers, larger than a pipe: prints the number of each answer.  The process
 * that gets a job whose number is an argument dies of it; one that takes its place
 * stops if it knows what came later.
 */

#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/tool.h"
#include "base/workers.h"

#define COUNT 64
#define EACH  6

static int late; /* set when the first processes are there */
static uint8_t much[4 * 1024 * 1024];

/* Job, or answer, number n. */
static size_t
size_of(unsigned n)
{
	return n % 4 == 0 ? sizeof(much) - n : n % 4 * 1000;
}

/* A job is its number, and much; so is an answer. */
static uint8_t *
work(void *ctx, uint8_t *job, size_t n, size_t *size)
{
	char **bad = ctx;
	unsigned number;
	uint8_t *answer;

	memcpy(&number, job, sizeof(number));
	if (late)
		exit(3);
	for (; *bad != NULL; bad++)
		if (number == (unsigned)atoi(*bad))
			(void)raise(SIGKILL);
	if (n != sizeof(number) + size_of(number))
		heap_nomem();
	*size = sizeof(number) + size_of(number / 2);
	if ((answer = OPENSSL_malloc(*size)) == NULL)
		heap_nomem();
	memset(answer, (int)number, *size);
	memcpy(answer, &number, sizeof(number));
	return answer;
}

/* Takes the oldest answer. */
static void
take(struct workers *p)
{
	unsigned number;
	size_t n, i;
	uint8_t *answer;
	struct reason w;
	void *tag;

	answer = workers_get(p, &n, &tag);
	if (answer == NULL) {
		(void)workers_died(&w, n);
		(void)printf("%td: %s\n", (uint8_t *)tag - much, w.detail);
		return;
	}
	memcpy(&number, answer, sizeof(number));
	if (tag != &much[number] || n != sizeof(number) + size_of(number / 2))
		exit(1);
	for (i = sizeof(number); i < n; i++)
		if (answer[i] != (uint8_t)number)
			exit(1);
	(void)printf("%u\n", number);
	OPENSSL_free(answer);
}

int
main(int argc, char *argv[])
{
	struct workers *p;
	unsigned i;

	(void)argc;
	tool_start();
	p = workers_new(2, EACH, 0, work, argv + 1);
	workers_keep(p);
	late = 1;
	for (i = 0; i < COUNT; i++) {
		if (workers_full(p))
			take(p);
		workers_put(p, &i, sizeof(i), much, size_of(i), &much[i]);
	}
	while (workers_busy(p) > 0)
		take(p);
	workers_free(p);
	return tool_end(0);
}
