#include "proven.h"

#include <openssl/crypto.h>
#include <string.h>

#include "pkey.h"
#include "prove.h"
#include "tool.h"

#define PKCS8_MAX 16384 /* bytes: RSA of RSA_BITS_MAX has 13,000 */

void
proven_free(struct proven *p)
{
	cert_free(p->cert);
	OPENSSL_secure_clear_free(p->key, p->nkey);
	OPENSSL_free(p->locked);
}

/*
 * Makes the key what the archive has: a PKCS#8 may carry attributes, of any
 * length.  Returns 1, or 0 with *w.
 */
static int
make_form(const struct stream_in *s, struct proven *p, struct why *w)
{
	p->format = p->key != NULL ? "MSBLOB" : "PKCS8";
	if (p->key != NULL)
		return 1;
	if (s->keylen > PKCS8_MAX)
		return why_set(w, "ceiling",
		    "a private key of %zu bytes, for which there is no BLOB, "
		    "and the ceiling is %d: are they attributes of PKCS#8? "
		    "openssl pkcs8 leaves them out",
		    s->keylen, PKCS8_MAX);
	if ((p->key = OPENSSL_secure_malloc(s->keylen)) == NULL)
		tool_nomem();
	memcpy(p->key, s->key, s->keylen);
	p->nkey = s->keylen;
	return 1;
}

int
proven_make(struct proven *p, const struct stream_in *s, X509 *ca,
    struct why *w)
{
	memset(p, 0, sizeof(*p));
	if (!prove_record(s, &p->cert, &p->key, &p->nkey, w) ||
	    (p->cert != NULL && !cert_describe(p->cert, w)))
		return 0;
	p->has_key = s->key != NULL;
	p->own = p->cert != NULL && ca != NULL && cert_is_of(p->cert, ca);
	return !p->has_key || make_form(s, p, w);
}

int
proven_lock(struct proven *p, struct envelope *e, size_t kras, struct why *w)
{
	if (!p->has_key)
		return 1;
	if (!envelope_lock(e, 0, kras, p->key, p->nkey, &p->locked, &p->nlocked,
		w))
		return 0;
	OPENSSL_secure_clear_free(p->key, p->nkey);
	p->key = NULL;
	return 1;
}

void
proven_pack(const struct proven *p, struct flat *f)
{
	flat_add(f, p, sizeof(*p));
	flat_add_bytes(f, p->locked, p->nlocked);
	if (p->cert != NULL)
		cert_pack(p->cert, f);
}

void
proven_unpack(struct proven *p, struct flat *f)
{
	memcpy(p, flat_next(f, sizeof(*p)), sizeof(*p));
	p->locked = flat_dup(f, &p->nlocked);
	if (p->cert != NULL)
		p->cert = cert_unpack(f);
}
