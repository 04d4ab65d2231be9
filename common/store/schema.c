#include "store/schema.h"

#include <string.h>

#include "base/encode.h"
#include "base/msg.h"

int
schema_digest(struct store *db, const char *which, uint8_t sum[32],
    struct reason *w)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct sql_st *st = sql_ready(db, SCHEMA_IS, w);
	unsigned long long rows;
	int rc = 0;

	if (st != NULL && md != NULL) {
		sql_bind_s(st, 1, which);
		rc = EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
		    sql_hash(md, st, 0, &rows, w) &&
		    EVP_DigestFinal_ex(md, sum, NULL);
	}
	EVP_MD_CTX_free(md);
	return rc;
}

int
schema_same(struct store *db, struct reason *w)
{
	uint8_t is[32];
	char hex[65];

	if (db->any_schema)
		return 1;
	if (!schema_digest(db, "kms2ca", is, w))
		return -1;
	if (memcmp(is, db->schema, sizeof(is)) == 0)
		return 1;
	msg_verbose("SHA-256 of the schema: %s",
	    encode_hex(hex, is, sizeof(is)));
	return 0;
}

int
schema_usable(struct store *db, enum store_mode mode, struct reason *w)
{
	int rc;

	if (!db->driver->schema(db, db->schema, w))
		return 0;
	rc = mode == STORE_CHECK ? 1 : schema_same(db, w);
	if (rc == 0)
		reason_set(w, "database",
		    "%s: the schema is not that of ca-db(5): a trigger or view "
		    "may change what is written or shown: go back to a copy, "
		    "or drop it",
		    db->name);
	return rc == 1;
}
