#ifndef ESE_H
#define ESE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/reason.h"

/*
 * Reads an ESE database ("JET Blue"), in which Exchange, its KMS and the CA of
 * Windows store their rows.  A file is a row of pages; a page has nodes; the
 * nodes of a tree of pages are the rows of a table.  Sources: the documentation
 * of libyal's libesedb, and Microsoft's Extensible-Storage-Engine (MIT
 * licence).
 *
 * header.c reads the header, page.c a page, tree.c the nodes of a tree,
 * catalog.c tables and columns, record.c a row, longvalue.c and expand.c values
 * that are kept elsewhere or compressed; rows.c joins it.
 *
 * Memory does not grow with the file, but for a bit a page.
 */

struct ese {
	/* set by the caller: the source, a file that can seek or memory */
	int fd;
	const uint8_t *mem; /* NULL: read fd */
	uint64_t size; /* bytes; 0: from where fd stands to its end */
	off_t start; /* of the database in fd */
	/* Called for each loss, in this table, or in the file if it is "". */
	void (*fault)(void *ctx, const char *table, const struct reason *);
	void *ctx;
	/* from the header */
	uint32_t version, revision, state;
	uint32_t log_first, log_last; /* the logs that a dirty file needs */
	uint32_t page_size;
	/* private */
	uint64_t pages; /* the number read */
	uint32_t last; /* number of the last page */
	uint64_t give; /* what ese_spend() may still count */
	unsigned sweeps; /* how many sweeps are left */
};

#define ESE_SWEEPS_MAX 100 /* for what trees have lost */

/* Reads n bytes.  Returns 1, or 0 if they are not there or unreadable. */
int ese_read(const struct ese *, uint64_t at, uint8_t *, size_t n);

/*
 * Counts n bytes of a value that was kept elsewhere or compressed.  Returns 1,
 * or 0 with *w if they are more than a file may give.
 */
int ese_spend(struct ese *, uint64_t n, struct reason *w);

/* Reports that something of a table is lost. */
void ese_fault(const struct ese *, const char *table, const char *reason,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
