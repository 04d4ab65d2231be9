#ifndef CA_EDB_JOIN_H
#define CA_EDB_JOIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/table.h"
#include "ese/catalog.h"
#include "ese/rows.h"

/* Joins the tables Requests and Certificates of a CA, by RequestID. */

#define EDB_LEFT_MAX 2000000 /* rows of one table that may wait for the other */

enum { REQUESTS, CERTIFICATES };

/* The place of a row that waits for its row in the other table. */
struct edb_place {
	uint32_t id, page;
	unsigned node;
};

/* One of the two tables. */
struct edb_side {
	struct rows rows;
	const struct schema_column *id;
	struct table ids; /* RequestIDs that came */
	uint32_t now; /* RequestID of the row */
	int has; /* 1: there is one */
	struct edb_place *left;
	size_t nleft, room, next;
};

struct edb_join {
	struct ese *e;
	struct edb_side side[2]; /* `has' tells which have a row at hand */
	int merged; /* 1: both tables were read to their end */
	int taken; /* 1: the rows at hand were given out */
};

void edb_join_open(struct edb_join *, struct ese *, const struct catalog *);
void edb_join_close(struct edb_join *);

/*
 * Goes to the rows of the next request, or to a single one.  Both tables are in
 * the order of RequestID; rows that a sweep has found come last.  Returns 1, or
 * 0 at the end.
 */
int edb_join_next(struct edb_join *);

/* Reports a fault of a value, or of a row if name is NULL. */
void edb_fault(const struct edb_join *, int table, uint32_t id,
    const char *name, const struct reason *);

#endif
