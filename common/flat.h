#ifndef FLAT_H
#define FLAT_H

#include <stddef.h>
#include <stdint.h>

/*
 * What goes from a process to its fork, or back, as bytes one behind the other.
 * Who reads them is the same program, at the same place in memory, as who wrote
 * them: nothing is checked, and a static string may travel as its address.
 */

struct flat {
	uint8_t *p; /* OPENSSL_free() it, which wipes: see tool.h */
	size_t size, at;
};

/* Makes room for n bytes, no more if they are the first. */
void flat_room(struct flat *, size_t n);

/* Adds n bytes; the same with their number in front; a string, with its NUL. */
void flat_add(struct flat *, const void *, size_t n);
void flat_add_bytes(struct flat *, const void *, size_t n);
void flat_add_str(struct flat *, const char *);

/* The next n bytes, where they stand; what the others added. */
const void *flat_next(struct flat *, size_t n);
const void *flat_bytes(struct flat *, size_t *n);
const char *flat_str(struct flat *);

/* The next bytes or string, in memory of their own (OPENSSL_free); none: NULL. */
void *flat_dup(struct flat *, size_t *n);
char *flat_strdup(struct flat *);

#endif
