#include "ca/candidate.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/heap.h"
#include "ca/hresult.h"
#include "proof/prove.h"
#include "proof/prove_many.h"

#define PKCS8_MAX 16384 /* bytes: RSA of RSA_BITS_MAX has 13,000 */

void
candidate_free(struct candidate *p)
{
	cert_free(p->cert);
	OPENSSL_secure_clear_free(p->key, p->nkey);
	OPENSSL_free(p->locked);
}

/*
 * Converts the key to the archive's format: a PKCS#8 may carry attributes, of
 * any length.  Returns 1, or 0 with *w.
 */
static int
make_form(const struct stream_in *s, struct candidate *p, struct reason *w)
{
	p->format = p->key != NULL ? "MSBLOB" : "PKCS8";
	if (p->key != NULL)
		return 1;
	if (s->keylen > PKCS8_MAX)
		return reason_set(w, "ceiling",
		    "a private key of %zu bytes, for which there is no BLOB, "
		    "and the ceiling is %d: are they attributes of PKCS#8? "
		    "openssl pkcs8 leaves them out",
		    s->keylen, PKCS8_MAX);
	if ((p->key = OPENSSL_secure_malloc(s->keylen)) == NULL)
		heap_nomem();
	memcpy(p->key, s->key, s->keylen);
	p->nkey = s->keylen;
	return 1;
}

/* Proves the record.  Returns 1, or 0 with p->why. */
static int
prove(struct candidate *p, const struct stream_in *s, X509 *ca)
{
	if (!prove_record(s, &p->cert, &p->key, &p->nkey, &p->why))
		return 0;
	p->has_key = s->key != NULL;
	p->own = p->cert != NULL && ca != NULL && cert_is_of(p->cert, ca);
	return !p->has_key || make_form(s, p, &p->why);
}

/* Adds Windows' name of the error of a certificate or key. */
static void
name_why(struct reason *w)
{
	const char *name = "";
	struct reason copy = *w;

	if (strcmp(w->reason, "certificate") == 0)
		name = HR_INVALID_DATA;
	else if (strcmp(w->reason, "key") == 0)
		name = HR_INVALID_PARAMETER;
	reason_set(w, copy.reason, "%.400s%s", copy.detail, name);
}

void
candidate_make(struct candidate *p, const struct stream_in *s, int bad,
    X509 *ca)
{
	memset(p, 0, sizeof(*p));
	if (bad)
		p->why = s->why;
	else if (!(p->ok = prove(p, s, ca)))
		name_why(&p->why);
}

int
candidate_lock(struct candidate *p, struct archived_key *e, size_t n,
    struct reason *w)
{
	if (!p->ok || !p->has_key)
		return 1;
	if (!archived_key_lock(e, 0, n, p->key, p->nkey, &p->locked,
		&p->nlocked, w))
		return 0;
	OPENSSL_secure_clear_free(p->key, p->nkey);
	p->key = NULL;
	return 1;
}

void
candidate_pack(const struct candidate *p, struct wire *f)
{
	prove_many_say(f, p->ok, &p->why);
	if (!p->ok)
		return;
	wire_add(f, p, sizeof(*p));
	wire_add_bytes(f, p->locked, p->nlocked);
	if (p->cert != NULL)
		cert_pack(p->cert, f);
}

void
candidate_unpack(struct candidate *p, struct wire *f)
{
	memset(p, 0, sizeof(*p));
	if (!prove_many_said(f, &p->why))
		return;
	memcpy(p, wire_next(f, sizeof(*p)), sizeof(*p));
	p->locked = wire_dup(f, &p->nlocked);
	if (p->cert != NULL)
		p->cert = cert_unpack(f);
}
