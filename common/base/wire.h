#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Values as bytes one behind the other, to go from a process to its fork or
 * back.  Reader and writer are one program at one place in memory: nothing is
 * checked, and a static string may travel as its address.
 */

struct wire {
	uint8_t *p; /* OPENSSL_free() it, which wipes: see base/heap.h */
	size_t size; /* bytes that there is room for */
	size_t at; /* where the next value goes, or is read from */
};

/* Makes room for n bytes more. */
void wire_room(struct wire *, size_t n);

/* Adds n bytes; wire_next() reads them. */
void wire_add(struct wire *, const void *, size_t n);
/* Adds n bytes and their number; wire_bytes() or wire_dup() reads them. */
void wire_add_bytes(struct wire *, const void *, size_t n);
/* Adds a string and its NUL; wire_str() or wire_strdup() reads it. */
void wire_add_str(struct wire *, const char *);

/* Returns what comes next, in the memory of the wire. */
const void *wire_next(struct wire *, size_t n);
const void *wire_bytes(struct wire *, size_t *n);
const char *wire_str(struct wire *);

/*
 * Returns a copy of what comes next, which the caller frees with
 * OPENSSL_free(), or NULL for no bytes.
 */
void *wire_dup(struct wire *, size_t *n);
char *wire_strdup(struct wire *);

#endif
