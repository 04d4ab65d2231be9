#ifndef EXPORT_DATABASE_H
#define EXPORT_DATABASE_H

#include "base/secret.h"
#include "ese/catalog.h"
#include "export/pair.h"
#include "record/stream_read.h"

/*
 * Searches a database whose way of storing keys is unknown: all of its values,
 * and then the file as raw bytes.
 */

struct database {
	struct ese *e;
	const struct catalog *catalog;
	struct stream_out *out;
	struct pair pair; /* the caller sets its shelf */
	/* private */
	struct secrets none; /* only the empty password is tried */
};

/*
 * Writes each certificate once, with its key if that is found too.  A key
 * without certificate, and what is lost, becomes a fault of the database.
 */
void database_put(struct database *);

#endif
