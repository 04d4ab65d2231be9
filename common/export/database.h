#ifndef EXPORT_DATABASE_H
#define EXPORT_DATABASE_H

#include "base/secret.h"
#include "ese/catalog.h"
#include "export/pair.h"
#include "record/stream_read.h"

/*
 * What lies in a database of which nobody knows how it stores keys: all of its
 * values are looked into, and then the file as it is.
 */

struct database {
	struct ese *e;
	const struct catalog *catalog;
	struct stream_out *out;
	struct pair pair; /* its shelf is set */
	/* own */
	struct secrets none; /* nothing is tried but the empty password */
};

/*
 * Writes each certificate once, with its key if that is found too.  A key
 * without certificate, and what is lost, is a fault of the database.
 */
void database_put(struct database *);

#endif
