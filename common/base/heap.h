#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/*
 * The memory of libcrypto: wiped when it is freed, the secure heap locked, and
 * a failed allocation never reported as another failure.
 */

/*
 * Takes over the memory of libcrypto and sets up the secure heap.  Must come
 * before every other use of libcrypto.  Exits 2, with a message, if it cannot.
 */
void heap_start(void);

/* Returns 1 if the system did not let us lock the secure heap. */
int heap_unlocked(void);

/* Locks the secure heap of a fork, which does not inherit the lock. */
void heap_forked(void);

/*
 * Makes heap_nomem() exit with status 1 and without a message: for a child that
 * has no memory to spare.
 */
void heap_quiet(void);

/* Exits 2 when the secure heap has no room for the work on one more key. */
void heap_check(void);

/* Exits 2, with a message, because memory or the secure heap is full. */
void heap_nomem(void) __attribute__((noreturn));

/*
 * Wipes what libraries left in registers and on the stack beyond the caller's
 * own frame.
 */
void heap_scrub(void);

#endif
