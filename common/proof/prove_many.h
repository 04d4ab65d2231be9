#ifndef PROOF_PROVE_MANY_H
#define PROOF_PROVE_MANY_H

#include "base/wire.h"
#include "record/read.h"
#include "record/stream_read.h"

/*
 * Proves the records of a stream in several processes (-j), which also open the
 * seals.  The records come out in the order of the stream.
 *
 * Sealed records are collected in batches.  A batch goes round:
 *
 *	spare ------> filling ------> given to a process ------> oldest ---+
 *	  ^   read_on()       send()    (queue of workers)    fetch()      |
 *	  |                                                         give() |
 *	  +---------------------------- drop() <---------------------------+
 *
 * An event that is no sealed record (a head, an end, a plain record, a fault of
 * the stream) waits in `event' until all records before it have been given out.
 */

struct prove_many;

/*
 * Adds to answer its result for a record with a good seal.  Runs in another
 * process, which has the key of the record.
 */
typedef void prove_many_work(void *ctx, const struct stream_in *,
    struct wire *answer);

/*
 * Starts on a stream to be read from in.  If the seals can be opened (-k) and
 * jobs is above one, it starts so many processes, with copies of the caller's
 * memory; each gets at most `ahead' batches at once, and `by' is how nice it is
 * (base/workers.h).  Otherwise the caller does the work.
 */
struct prove_many *prove_many_new(struct rec_in *in, struct stream_in *,
    int opens, unsigned jobs, unsigned ahead, int by, prove_many_work *,
    void *ctx);
void prove_many_free(struct prove_many *);

/*
 * Returns the next event, as stream_next() does, and in *s the stream to take
 * the record from.  *answer is the answer for a record with a good seal, whose
 * key is then not at hand; or NULL if no other process had the record.
 */
enum stream_event prove_many_next(struct prove_many *,
    const struct stream_in **s, struct wire **answer);

/* Write and read the usual answer: 1, or 0 and why.  More may follow it. */
void prove_many_say(struct wire *answer, int ok, const struct reason *);
int prove_many_said(struct wire *answer, struct reason *);

/* Returns 1 if a record was read that was not given out yet. */
int prove_many_busy(const struct prove_many *);

#endif
