#ifndef BASE_LEDGER_H
#define BASE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

/*
 * What is known of each of many things, by a hash that names it (such as the
 * SHA-1 of a certificate): 32 bytes each, and 8 at most for the index.
 */

#define LEDGER_MAX (16 * 1024 * 1024) /* entries */
#define LEDGER_ID  20 /* bytes of a name */

struct ledger_entry {
	uint8_t id[LEDGER_ID];
	uint8_t check[8]; /* for the caller, as flags are */
	uint32_t flags;
};

struct ledger {
	struct ledger_entry *v; /* in the order they came */
	size_t n, room;
	uint32_t *index; /* place in v, from 1; 0 is free */
	unsigned bits; /* its size is a power of two */
	uint64_t salt[3]; /* nobody knows which names share a place */
};

/*
 * The entry of this name; if it is new, all else in it is 0.  Valid until the
 * next call.  Exits 2 where memory or LEDGER_MAX is passed.
 */
struct ledger_entry *ledger_get0(struct ledger *, const uint8_t id[LEDGER_ID]);
void ledger_free(struct ledger *);

#endif
