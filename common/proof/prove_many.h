#ifndef PROOF_PROVE_MANY_H
#define PROOF_PROVE_MANY_H

#include "base/wire.h"
#include "record/read.h"
#include "record/stream_read.h"

/*
 * The records of a stream whose seals other processes open and whose contents
 * they prove, side by side (-j).  They come out in the order of the stream.
 *
 * Sealed records are collected in batches.  A batch goes round:
 *
 *	spare ------> filling ------> given to a process ------> oldest ---+
 *	  ^   read_on()       send()    (queue of workers)    fetch()      |
 *	  |                                                         give() |
 *	  +---------------------------- drop() <---------------------------+
 *
 * What is no sealed record (a head, an end, a plain record, a fault of the
 * stream) waits in `event' until all records before it have been given out.
 */

struct prove_many;

/*
 * Adds to answer what it makes of a record whose seal is good.  Runs in another
 * process, where the key of the record is at hand.
 */
typedef void prove_many_work(void *ctx, const struct stream_in *,
    struct wire *answer);

/*
 * Begins with a stream that is to be read from in.  If the seals can be opened
 * (-k) and jobs is more than one it starts so many processes, which have a copy
 * of all that the caller has; each gets at most `ahead' batches at once and is
 * nice by so much (base/workers.h).  Otherwise the caller does the work.
 */
struct prove_many *prove_many_new(struct rec_in *in, struct stream_in *,
    int opens, unsigned jobs, unsigned ahead, int by, prove_many_work *,
    void *ctx);
void prove_many_free(struct prove_many *);

/*
 * Reads on and returns as stream_next() does; *s is the stream to take the
 * record from.  *answer is what the work made of a record with a good seal,
 * whose key is then not at hand.  *answer is NULL if no other process had it.
 */
enum stream_event prove_many_next(struct prove_many *,
    const struct stream_in **s, struct wire **answer);

/* The common answer: 1, or 0 and why.  What is more stands behind it. */
void prove_many_say(struct wire *answer, int ok, const struct reason *);
int prove_many_said(struct wire *answer, struct reason *);

/* Returns 1 if something was read that was not given out yet. */
int prove_many_busy(const struct prove_many *);

#endif
