#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Values as consecutive bytes, which go from a process to its fork or back.
 * Writer and reader are one program with the same addresses: nothing is
 * checked, and a static string may travel as its address.
 */

struct wire {
	uint8_t *p; /* freed with OPENSSL_free(), which wipes it */
	size_t size; /* bytes that p has room for */
	size_t at; /* where the next value is written or read */
};

/* Makes room for n more bytes. */
void wire_room(struct wire *, size_t n);

/* Adds n bytes; wire_next() reads them. */
void wire_add(struct wire *, const void *, size_t n);
/* Adds n bytes and their number; wire_bytes() or wire_dup() reads them. */
void wire_add_bytes(struct wire *, const void *, size_t n);
/* Adds a string and its NUL; wire_str() or wire_strdup() reads it. */
void wire_add_str(struct wire *, const char *);

/* Each returns the next value, which stays in the memory of the wire. */
const void *wire_next(struct wire *, size_t n);
const void *wire_bytes(struct wire *, size_t *n);
const char *wire_str(struct wire *);

/*
 * Each returns a copy of the next value, which the caller frees with
 * OPENSSL_free(), or NULL for no bytes.
 */
void *wire_dup(struct wire *, size_t *n);
char *wire_strdup(struct wire *);

#endif
