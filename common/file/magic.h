#ifndef FILE_MAGIC_H
#define FILE_MAGIC_H

#include <stddef.h>
#include <stdint.h>

/*
 * Tells an archive, or a compressed file, by its first bytes.  No key, no
 * certificate and no text is taken for one.
 */

#define MAGIC_BYTES 32774 /* as many decide; ISO 9660 begins late */

struct magic {
	const char *name; /* such as "zip" */
	int filter; /* it compresses one file, which may be an archive */
};

/* The kind of the file that begins with the n bytes at p, or NULL. */
const struct magic *magic_of(const uint8_t *p, size_t n);

#endif
