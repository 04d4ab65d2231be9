#include "proof/prove.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/encode.h"
#include "key/match.h"

static int
says(const struct rec *r, const char *label, const uint8_t *p, size_t n)
{
	char hex[65];

	return rec_eq(r, label, encode_hex(hex, p, n));
}

static int
fields(const struct rec *r, const struct cert *c, struct reason *w)
{
	const char *wrong = NULL;

	if (!says(r, "sha256", c->sha256, sizeof(c->sha256)))
		wrong = "sha256";
	else if (!says(r, "sha1", c->sha1, sizeof(c->sha1)))
		wrong = "sha1";
	else if (!says(r, "spki", c->spki, sizeof(c->spki)))
		wrong = "spki";
	else if (!rec_eq(r, "serial", c->serial))
		wrong = "serial";
	return wrong == NULL ||
	    reason_set(w, "certificate",
		"%s is not that of "
		"the certificate in the record",
		wrong);
}

int
prove_record(const struct stream_in *s, struct cert **cert, uint8_t **blob,
    size_t *len, struct reason *w)
{
	const struct rec *r = &s->rec;
	const int row = rec_is(r, "archived") && !rec_eq(r, "cert", "");
	uint8_t *der;
	size_t n;
	int rc;

	*cert = NULL;
	if (blob != NULL)
		*blob = NULL;
	if (!rec_is(r, "key") && !rec_is(r, "cert") && !row)
		return 1;
	if ((der = rec_b64(r, "cert", 0, &n)) == NULL)
		return reason_set(w, "certificate", "cert is not base64");
	rc = cert_glance(cert, der, n, w);
	OPENSSL_free(der);
	if (!rc)
		return 0;
	rc = fields(r, *cert, w) &&
	    /* nobody but the reader of the seal relies on the rest */
	    (s->closed ||
		(cert_describe(*cert, w) &&
		    (s->key == NULL ||
			match_prove(s->key, s->keylen, &(*cert)->spki_part,
			    blob, len, w))));
	if (!rc || row) {
		cert_free(*cert);
		*cert = NULL;
	}
	return rc;
}
