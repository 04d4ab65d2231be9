#ifndef PROOF_PROVE_MANY_H
#define PROOF_PROVE_MANY_H

#include "base/wire.h"
#include "proof/input.h"
#include "record/stream_read.h"

/*
 * The records of a stream, their seals opened and what they hold proven side by
 * side in processes of their own (-j), given out in the order of the stream.
 */

struct prove_many;

/*
 * What is made of a record whose seal is good, key at hand: an answer, for
 * whoever takes the record.
 */
typedef void prove_many_work(void *ctx, const struct stream_in *,
    struct wire *answer);

/*
 * Starts reading.  Processes are started, so many, if there are seals to open
 * (-k) and jobs is more than one; they have all that the caller has.  Each gets
 * so many batches of records ahead: what it does while the caller does not ask;
 * and is nice, as of workers_new().
 */
struct prove_many *prove_many_new(struct input *, unsigned jobs, unsigned ahead,
    int by, prove_many_work *, void *ctx);
void prove_many_free(struct prove_many *);

/*
 * As stream_next(), whose *s it gives.  Of a record with a good seal *answer is
 * what another process has made of it, without key; NULL: nothing, here it is.
 */
enum stream_event prove_many_next(struct prove_many *,
    const struct stream_in **s, struct wire **answer);

/* Returns 1 if records were read that were not given out. */
int prove_many_busy(const struct prove_many *);

#endif
