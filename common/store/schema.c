#include "store/schema.h"

#include <string.h>

#include "base/encode.h"
#include "base/msg.h"

int
schema_digest(struct store *db, uint8_t sum[32], struct reason *w)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct sql_st *st = sql_ready(db, SCHEMA_IS, w);
	int rc;

	rc = st != NULL && md != NULL &&
	    EVP_DigestInit_ex(md, EVP_sha256(), NULL) && sql_hash(md, st, w) &&
	    EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	return rc;
}

int
schema_same(struct store *db, struct reason *w)
{
	uint8_t is[32], ought[32];
	char hex[65];

	if (!db->driver->schema(db, ought, w) || !schema_digest(db, is, w))
		return -1;
	if (memcmp(is, ought, sizeof(is)) == 0)
		return 1;
	msg_verbose("SHA-256 of the schema: %s",
	    encode_hex(hex, is, sizeof(is)));
	return 0;
}

int
schema_writable(struct store *db, struct reason *w)
{
	int rc = schema_same(db, w);

	if (rc == 0)
		reason_set(w, "database",
		    "%s: the schema is not that of ca-db(5): a trigger or view "
		    "may change what is written: go back to a copy, or drop it",
		    db->name);
	return rc == 1;
}
