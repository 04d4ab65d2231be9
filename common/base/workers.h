#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Processes that work side by side: each takes a job, which is bytes, and gives
 * an answer; the answers come in the order of the jobs.  Processes, since
 * threads contend for the locks of OpenSSL's providers (PEERS.md section 1).
 * They are forks of the caller, in the sandbox, without a file but stderr.  What
 * they cannot do ends them, and the caller, with exit status 2.
 */

#define JOBS_MAX 256 /* processes */

struct workers;

/*
 * Does a job of n bytes, which it may change; the answer is OPENSSL_malloc()ed,
 * *size bytes.  Both are wiped by the caller.
 */
typedef uint8_t *workers_work(void *ctx, uint8_t *job, size_t n, size_t *size);

/*
 * Starts so many processes, each with a copy of all that there is.  One gets at
 * most so many jobs while it has not answered.  Where they are not to keep the
 * caller from a processor they are nice, by so much.
 */
struct workers *workers_new(unsigned jobs, unsigned each, int by,
    workers_work *, void *ctx);
void workers_free(struct workers *);

/* Returns the number of jobs whose answer was not taken yet. */
size_t workers_busy(const struct workers *);

/* Returns 1 if an answer must be taken before the next job. */
int workers_full(const struct workers *);

/* Gives a job, in two parts, to the process with the fewest. */
void workers_put(struct workers *, const void *head, size_t nhead,
    const void *body, size_t nbody, void *tag);

/*
 * The answer to the oldest job, *n bytes: OPENSSL_free() it; and what
 * its tag was.  Waits for it; there must be one.
 */
uint8_t *workers_get(struct workers *, size_t *n, void **tag);

/* The processors that this process may use, at most JOBS_MAX. */
unsigned workers_processors(void);

/* The number of -j.  Exits 2, with a message, if it is none. */
void workers_jobs(const char *arg, unsigned *jobs);

#endif
