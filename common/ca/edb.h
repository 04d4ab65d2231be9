#ifndef CA_EDB_H
#define CA_EDB_H

#include <stdint.h>

#include "ese/catalog.h"
#include "key/cert.h"
#include "store/store.h"

/*
 * The database of a Windows CA, CertLog\CANAME.edb: its tables Requests and
 * Certificates as rows of an archive.  Names of columns are public: [MS-CSRA]
 * and, as they stand in the file, dissect.target and artemis.
 */

struct edb;

struct edb_row {
	struct store_found found; /* without group, user, mail and guid */
	struct cert *cert;
	/*
	 * Where the row does not name its agents: serial number and issuer of
	 * each, one a line, from the archived key; else "".
	 */
	const char *recipients;
	int is_agent; /* the certificate is one of an agent */
};

/*
 * Reads the rows of a database that is one of a CA (catalog_is_ca()).  What is
 * lost is a fault of the database, by the callback in ese, under TABLE/REQUESTID
 * or TABLE/REQUESTID/COLUMN.
 */
struct edb *edb_new(struct ese *, const struct catalog *);
void edb_free(struct edb *);

/* The next row with a certificate, valid until the next call.  1, or 0: none. */
int edb_next(struct edb *, struct edb_row *);

/* Requests that were denied, failed or are pending: no certificate, no key. */
unsigned long long edb_never_issued(const struct edb *);

#endif
