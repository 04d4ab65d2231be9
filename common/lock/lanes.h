#ifndef LOCK_LANES_H
#define LOCK_LANES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Computes SHA-1 or SHA-256 of many chains side by side: a vector register
 * holds one word of each.  A chain hashes a hash again and again: the hash
 * fills the start of a block, padding the rest.
 */

#define LANES_MOST  16
#define LANES_WORDS 8 /* of SHA-256; SHA-1 has 5 */

/* Words of lane i are at [..][i], in the order of the machine. */
struct lanes {
	_Alignas(64) uint32_t h[LANES_WORDS][LANES_MOST]; /* the hash */
	/* the states that blocks follow, in turn: [0] in the next step */
	uint32_t before[2][LANES_WORDS][LANES_MOST];
	/* all ones: this step's hash is added (xor) to the sum; or 0 */
	uint32_t adds[2][LANES_MOST];
	uint32_t sum[LANES_WORDS][LANES_MOST];
	uint32_t bits[LANES_MOST]; /* length of the message, for the padding */
};

/* Does so many steps of the lanes from first on. */
typedef void lanes_run(struct lanes *, size_t first, int64_t steps);

/* One way to do it, with so many lanes in one pass. */
struct lanes_way {
	const char *name;
	size_t width;
	lanes_run *sha1, *sha256;
};

/* Returns way i of this processor, the narrowest first, or NULL. */
const struct lanes_way *lanes_way(size_t i);

#endif
