#ifndef FILE_MAGIC_H
#define FILE_MAGIC_H

#include <stddef.h>
#include <stdint.h>

/*
 * Recognises archives and compressed files by their first bytes, and never
 * takes a key, a certificate or text for one.
 */

#define MAGIC_BYTES 32774 /* how many count; ISO 9660 begins late */

struct magic {
	const char *name; /* such as "zip" */
	int filter; /* 1: it compresses one file, which may be an archive */
};

/* Returns the kind of the file that begins with the n bytes at p, or NULL. */
const struct magic *magic_of(const uint8_t *p, size_t n);

#endif
