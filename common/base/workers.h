#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Processes that work side by side.  Each takes jobs, which are bytes, and
 * answers each; the answers come out in the order of the jobs.  Threads would
 * contend for the locks of OpenSSL's providers (PEERS.md section 1).  The
 * processes are forks of the caller, in the sandbox, with no descriptor but
 * stderr.  One that exits with status 2 has said why, and ends the caller too.
 * One that dies is replaced, and its job at hand gets no answer.
 */

#define JOBS_MAX 256 /* the most processes */

struct workers;

/*
 * Does a job of n bytes, which it may change.  Returns the answer, allocated
 * with OPENSSL_malloc(), and its bytes in *size.  The caller wipes both.
 */
typedef uint8_t *workers_work(void *ctx, uint8_t *job, size_t n, size_t *size);

/*
 * Starts so many processes, each with a copy of the caller's memory and at most
 * `each' jobs in hand.  `by' is how nice they are (nice(2)): above 0 where the
 * caller needs the processor more.
 */
struct workers *workers_new(unsigned jobs, unsigned each, int by,
    workers_work *, void *ctx);
void workers_free(struct workers *);

/*
 * Gives processes that replace dead ones the memory that the caller has now,
 * not what it has then.  Must come before the sandbox.
 */
void workers_keep(struct workers *);

/* Starts one more process, with one job in hand, after workers_keep(). */
struct workers *workers_beside(const struct workers *);

/* Returns the number of jobs whose answers were not taken yet. */
size_t workers_busy(const struct workers *);

/* Returns 1 if an answer must be taken before the next job is given. */
int workers_full(const struct workers *);

/* Returns 1 if a process has no job in hand. */
int workers_idle(const struct workers *);

/* Gives a job, in two parts, to the process with the fewest jobs in hand. */
void workers_put(struct workers *, const void *head, size_t nhead,
    const void *body, size_t nbody, void *tag);

/*
 * Waits for the answer to the oldest job; there must be one.  Returns the
 * answer, which the caller frees with OPENSSL_free(), with its bytes in *n, and
 * in *tag that of workers_put().  Returns NULL if the job killed a process: *n
 * is then the number of the signal, or 0, for workers_died().
 */
uint8_t *workers_get(struct workers *, size_t *n, void **tag);

/*
 * Returns the job that killed a process, according to the last workers_get(),
 * with its bytes in *n.  The caller frees it with OPENSSL_free().
 */
uint8_t *workers_lost(struct workers *, size_t *n);

/* Sets *w (reason "reader") to what killed a process.  Returns 0. */
int workers_died(struct reason *, size_t n);

/* Returns how many processors this process may use, at most JOBS_MAX. */
unsigned workers_processors(void);

/* Puts the number of -j in *jobs.  Exits 2, with a message, if it is none. */
void workers_jobs(const char *arg, unsigned *jobs);

#endif
