#ifndef ESE_H
#define ESE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/reason.h"

/*
 * An ESE database ("JET Blue"): what Exchange, its KMS and the CA of Windows
 * store their rows in.  A file is a row of pages; a page has nodes; the nodes of
 * a tree of pages are the rows of a table.  Sources: the documentation of
 * libyal's libesedb, and Microsoft's Extensible-Storage-Engine (MIT licence).
 *
 * header.c knows what a file is, page.c reads a page, tree.c walks, catalog.c knows tables
 * and columns, record.c takes a row apart, longvalue.c and expand.c get what is
 * kept elsewhere or compressed, rows.c has all of it together.
 *
 * Memory does not grow with the file but for one bit a page of a table.
 */

struct ese {
	/* to be set: where it is read from, a file that can seek or memory */
	int fd;
	const uint8_t *mem; /* NULL: fd */
	uint64_t size; /* bytes; 0: fd from where it stands to its end */
	off_t start; /* of the database in fd */
	/*
	 * Called for what is lost: of this table, or of the file where it is "".
	 */
	void (*fault)(void *ctx, const char *table, const struct reason *);
	void *ctx;
	/* what the header says */
	uint32_t version, revision, state;
	uint32_t log_first, log_last; /* what a dirty file wants */
	uint32_t page_size;
	/* own */
	uint64_t pages; /* that were read */
	uint32_t last; /* number of the last page */
	uint64_t
	    give; /* bytes that may still be put together, see ese_spend() */
	unsigned sweeps; /* how often it may still be swept */
};

#define ESE_SWEEPS_MAX 100 /* for what the tree of a table has lost */

/* Reads n bytes.  Returns 1, or 0: the file ends before, or cannot be read. */
int ese_read(const struct ese *, uint64_t at, uint8_t *, size_t n);

/*
 * Notes that a value of n bytes was put together, of what is kept elsewhere or
 * compressed.  Returns 1, or 0 with *w: they are more than a file may give.
 */
int ese_spend(struct ese *, uint64_t n, struct reason *w);

/* Says that something of a table is lost. */
void ese_fault(const struct ese *, const char *table, const char *reason,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
