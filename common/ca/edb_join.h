#ifndef CA_EDB_JOIN_H
#define CA_EDB_JOIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/table.h"
#include "ese/catalog.h"
#include "ese/rows.h"

/* The tables Requests and Certificates of a CA, side by side, by RequestID. */

#define EDB_LEFT_MAX 2000000 /* rows of one table that wait for the other */

enum { REQUESTS, CERTIFICATES };

/* Where a row is that waits for the row of the other table. */
struct edb_place {
	uint32_t id, page;
	unsigned node;
};

/* One of the two tables. */
struct edb_side {
	struct rows rows;
	const struct schema_column *id;
	struct table ids; /* RequestIDs */
	uint32_t now; /* RequestID of the row */
	int has; /* there is one */
	struct edb_place *left;
	size_t nleft, room, next;
};

struct edb_join {
	struct ese *e;
	struct edb_side side[2]; /* those that have a row now say so */
	int merged; /* both tables were read to their end */
	int taken; /* the rows at hand were given out */
};

void edb_join_open(struct edb_join *, struct ese *, const struct catalog *);
void edb_join_close(struct edb_join *);

/*
 * Goes to the rows of the next request, or to one alone.  Both tables are in the
 * order of RequestID, but for what a sweep has found: that comes last.  Returns
 * 1, or 0 at the end.
 */
int edb_join_next(struct edb_join *);

/* Says what is wrong with a value, or with a row where name is NULL. */
void edb_fault(const struct edb_join *, int table, uint32_t id,
    const char *name, const struct reason *);

#endif
