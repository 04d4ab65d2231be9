#ifndef BASE_SEEN_H
#define BASE_SEEN_H

#include <stddef.h>

/* A set of numbers, 64 neighbours to a word: dense ones cost two bits each. */
struct seen {
	struct seen_word {
		unsigned long long at, bits;
	} * v;
	size_t size, used; /* size is a power of two */
};

/* Adds n.  Returns 1, or 0 if it was in.  Out of memory exits 2. */
int seen_add(struct seen *, unsigned long long n);
/* Empties and frees. */
void seen_reset(struct seen *);

#endif
