#ifndef CA_EDB_H
#define CA_EDB_H

#include <stdint.h>

#include "ese/catalog.h"
#include "key/cert.h"
#include "store/store.h"

/*
 * Reads the database of a Windows CA, CertLog\CANAME.edb: its tables Requests
 * and Certificates as rows of an archive.  The names of columns are public:
 * [MS-CSRA] and, as they are in the file, dissect.target and artemis.
 */

struct edb;

struct edb_row {
	struct store_found found; /* without group, user, mail and guid */
	struct cert *cert;
	/*
	 * The agents from the archived key, if the row does not name them:
	 * serial number and issuer, one agent a line; else "".
	 */
	const char *recipients;
	int is_agent; /* 1: the certificate is an agent's */
};

/*
 * Reads the rows of a database that is a CA's (catalog_is_ca()).  A loss is a
 * fault of the database, by the callback in ese, under TABLE/REQUESTID or
 * TABLE/REQUESTID/COLUMN.
 */
struct edb *edb_new(struct ese *, const struct catalog *);
void edb_free(struct edb *);

/* Gives the next row with a certificate, until the next call.  0 is the end. */
int edb_next(struct edb *, struct edb_row *);

/* Returns how many requests were denied, failed or are pending. */
unsigned long long edb_never_issued(const struct edb *);

#endif
