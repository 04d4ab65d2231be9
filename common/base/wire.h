#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * What goes from a process to its fork, or back, as bytes one behind the other.
 * Who reads them is the same program, at the same place in memory, as who wrote
 * them: nothing is checked, and a static string may travel as its address.
 */

struct wire {
	uint8_t *p; /* OPENSSL_free() it, which wipes: see base/heap.h */
	size_t size, at;
};

/* Makes room for n bytes, no more if they are the first. */
void wire_room(struct wire *, size_t n);

/* Adds n bytes; the same with their number in front; a string, with its NUL. */
void wire_add(struct wire *, const void *, size_t n);
void wire_add_bytes(struct wire *, const void *, size_t n);
void wire_add_str(struct wire *, const char *);

/* The next n bytes, where they stand; what the others added. */
const void *wire_next(struct wire *, size_t n);
const void *wire_bytes(struct wire *, size_t *n);
const char *wire_str(struct wire *);

/* The next bytes or string, in memory of their own (OPENSSL_free); none: NULL. */
void *wire_dup(struct wire *, size_t *n);
char *wire_strdup(struct wire *);

#endif
