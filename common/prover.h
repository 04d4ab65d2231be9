#ifndef PROVER_H
#define PROVER_H

#include "flat.h"
#include "input.h"
#include "stream.h"

/*
 * The records of a stream, their seals opened and what they hold proven side by
 * side in processes of their own (-j), given out in the order of the stream.
 */

struct prover;

/*
 * What is made of a record whose seal is good, key at hand: an answer, for
 * whoever takes the record.
 */
typedef void prover_work(void *ctx, const struct stream_in *,
    struct flat *answer);

/*
 * Starts reading.  Processes are started, so many, if there are seals to open
 * (-k) and jobs is more than one; they have all that the caller has.  Each gets
 * so many batches of records ahead: what it does while the caller does not ask;
 * and is nice, as of pool_new().
 */
struct prover *prover_new(struct input *, unsigned jobs, unsigned ahead, int by,
    prover_work *, void *ctx);
void prover_free(struct prover *);

/*
 * As stream_next(), whose *s it gives.  Of a record with a good seal *answer is
 * what another process has made of it, without key; NULL: nothing, here it is.
 */
enum stream_event prover_next(struct prover *, const struct stream_in **s,
    struct flat **answer);

/* Returns 1 if records were read that were not given out. */
int prover_busy(const struct prover *);

#endif
