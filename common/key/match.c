#include "key/match.h"

#include <string.h>

#include "key/private.h"
#include "key/spki.h"
#include "key/winblob.h"

/* Returns 1 if id is the identity of the public key. */
static int
is_of(const uint8_t id[32], const struct tlv_part *der)
{
	struct spki *s = spki_new(der);
	uint8_t of[32];
	char alg[32];
	int bits, rc;

	rc = s != NULL && spki_id(s, of, alg, &bits) &&
	    memcmp(id, of, sizeof(of)) == 0;
	spki_free(s);
	reason_clear();
	return rc;
}

int
match_prove(const uint8_t *p8, size_t n, const struct tlv_part *spki,
    uint8_t **blob, size_t *len, struct reason *w)
{
	struct private k;
	uint8_t id[32];
	int rc;

	if (!private_open(&k, p8, n, w))
		return 0;
	rc = private_whole(&k, id, w) &&
	    (is_of(id, spki) ||
		reason_set(w, "key",
		    "private key does not belong to the certificate"));
	if (blob != NULL)
		*blob = rc && k.rsa != NULL ? winblob_new(k.rsa, len) : NULL;
	private_close(&k);
	return rc;
}
