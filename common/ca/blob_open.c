#include "ca/blob_open.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "base/fuzzing.h"
#include "base/heap.h"
#include "ca/agent.h"
#include "ca/hresult.h"
#include "key/private.h"
#include "key/tlv.h"
#include "key/winblob.h"

/* Checks the signature of the first signer, but not chain and expiry. */
static int
verify(CMS_ContentInfo *cms, const struct trust *trusted, BIO *out)
{
	STACK_OF(X509) *certs = NULL;
	unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY |
	    (FUZZING ? CMS_NO_ATTR_VERIFY | CMS_NO_CONTENT_VERIFY : 0);
	size_t i;
	int rc;

	if (trusted != NULL) {
		flags |= CMS_NOINTERN;
		if ((certs = sk_X509_new_null()) == NULL)
			return 0;
		for (i = 0; i < trusted->n; i++)
			if (!sk_X509_push(certs, trusted->v[i].cert))
				break;
	}
	rc = CMS_verify(cms, certs, NULL, NULL, out, flags) == 1;
	sk_X509_free(certs);
	return rc;
}

/* The parts of a blob. */
struct parts {
	uint8_t *env; /* EnvelopedData in its ContentInfo */
	size_t n;
	STACK_OF(X509) *certs;
	uint8_t *name; /* of the user's certificate; NULL if it has none */
	size_t namelen;
};

static void
parts_free(struct parts *b)
{
	OPENSSL_free(b->env);
	OPENSSL_free(b->name);
	sk_X509_pop_free(b->certs, X509_free);
}

/*
 * Reads the signed attribute about the user's certificate.  No public text says
 * how: its SHA-1 or SHA-256, or all of it, is taken; anything else is ignored.
 */
static void
take_name(CMS_ContentInfo *cms, struct parts *b)
{
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms),
	    0);
	ASN1_OBJECT *oid = OBJ_txt2obj(BLOB_HASH, 1);
	X509_ATTRIBUTE *attr;
	const ASN1_TYPE *v = NULL;
	const uint8_t *p;
	size_t n;

	if (oid == NULL)
		heap_nomem();
	attr = CMS_signed_get_attr(si, CMS_signed_get_attr_by_OBJ(si, oid, -1));
	ASN1_OBJECT_free(oid);
	if (attr != NULL && X509_ATTRIBUTE_count(attr) == 1)
		v = X509_ATTRIBUTE_get0_type(attr, 0);
	if (v == NULL ||
	    (v->type != V_ASN1_OCTET_STRING && v->type != V_ASN1_SEQUENCE))
		return;
	p = ASN1_STRING_get0_data(v->value.asn1_string);
	n = (size_t)ASN1_STRING_length(v->value.asn1_string);
	if (n != 20 && n != 32 && (n == 0 || *p != 0x30))
		return;
	if ((b->name = OPENSSL_memdup(p, n)) == NULL)
		heap_nomem();
	b->namelen = n;
}

/* Returns 1 if the blob names this certificate. */
static int
is_named(const struct parts *b, const struct cert *c)
{
	switch (b->namelen) {
	case sizeof(c->sha1):
		return memcmp(b->name, c->sha1, sizeof(c->sha1)) == 0;
	case sizeof(c->sha256):
		return memcmp(b->name, c->sha256, sizeof(c->sha256)) == 0;
	default:
		return b->namelen == c->len &&
		    memcmp(b->name, c->der, c->len) == 0;
	}
}

/*
 * Finds the content in SignedData of PKCS#7 v1.5 (RFC 2315 section 9.1), which
 * may be any TLV, where CMS has an OCTET STRING.  Returns its place, *n bytes,
 * or NULL if it is none.
 */
static const uint8_t *
old_content(const uint8_t *p, const uint8_t *end, size_t *n)
{
	const uint8_t *at;

	if (!tlv_step(&p, end, TLV_SEQ, 0) || !tlv_step(&p, end, TLV_OID, 1) ||
	    !tlv_step(&p, end, TLV_0, 0) || !tlv_step(&p, end, TLV_SEQ, 0) ||
	    !tlv_step(&p, end, TLV_INT, 1) || !tlv_step(&p, end, TLV_SET, 1) ||
	    !tlv_step(&p, end, TLV_SEQ, 0) || !tlv_step(&p, end, TLV_OID, 1) ||
	    !tlv_step(&p, end, TLV_0, 0))
		return NULL;
	at = p;
	if (!tlv_step(&p, end, TLV_SEQ, 1))
		return NULL;
	*n = (size_t)(p - at);
	return at;
}

/*
 * Parses a blob of either form.  PKCS#7 v1.5 signs the content without its tag
 * and length (RFC 5652 section 5.2.1), as CMS does an OCTET STRING's: with that
 * tag it becomes CMS.  *old is then the content with its own tag, *n bytes;
 * else NULL.
 */
static CMS_ContentInfo *
parse(const uint8_t *der, size_t len, const uint8_t **old, size_t *n)
{
	const uint8_t *p = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	uint8_t *copy;

	*old = NULL;
	if (cms == NULL && (*old = old_content(der, der + len, n)) != NULL &&
	    (copy = OPENSSL_memdup(der, len)) != NULL) {
		copy[*old - der] = V_ASN1_OCTET_STRING;
		p = copy;
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
		p = der + (p - copy);
		OPENSSL_free(copy);
	}
	if (cms != NULL && p == der + len &&
	    OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed)
		return cms;
	CMS_ContentInfo_free(cms);
	return NULL;
}

/* Copies EnvelopedData, and adds the ContentInfo around it that it may lack. */
static uint8_t *
with_info(const uint8_t *p, size_t n, size_t *len)
{
	static const uint8_t oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
		0x0d, 0x01, 0x07, 0x03 };
	const uint8_t *q = p, *end = p + n;
	uint8_t *out, *at;
	int inner, all;

	if (!tlv_step(&q, end, TLV_SEQ, 0) || !tlv_step(&q, end, TLV_INT, 1)) {
		if ((out = OPENSSL_memdup(p, n)) == NULL)
			heap_nomem();
		*len = n;
		return out;
	}
	inner = (int)sizeof(oid) + ASN1_object_size(1, (int)n, 0);
	all = ASN1_object_size(1, inner, V_ASN1_SEQUENCE);
	if ((out = at = OPENSSL_malloc((size_t)all)) == NULL)
		heap_nomem();
	ASN1_put_object(&at, 1, inner, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(at, oid, sizeof(oid));
	at += sizeof(oid);
	ASN1_put_object(&at, 1, (int)n, 0, V_ASN1_CONTEXT_SPECIFIC);
	memcpy(at, p, n);
	*len = (size_t)all;
	return out;
}

/* Parses a blob.  Returns 1 and *b (parts_free() it), or 0 with *w. */
static int
unwrap(const uint8_t *der, size_t len, const struct trust *trusted,
    struct parts *b, struct reason *w)
{
	const uint8_t *env;
	size_t n = 0;
	CMS_ContentInfo *cms = parse(der, len, &env, &n);
	BIO *out = BIO_new(BIO_s_mem());
	char *data;
	long size;
	int rc = 0;

	memset(b, 0, sizeof(*b));
	if (out == NULL || cms == NULL) {
		reason_set(w, "blob",
		    "not a recovery blob: CMS SignedData (RFC "
		    "5652 section 5.1) around the archived key");
	} else if (!verify(cms, trusted, out)) {
		reason_set(w, "signature", "%s",
		    trusted != NULL ?
			"the signature of the recovery blob is not right, or "
			"not of a certificate of -C" :
			ERR_GET_REASON(ERR_peek_last_error()) ==
			    CMS_R_SIGNER_CERTIFICATE_NOT_FOUND ?
			"the recovery blob lacks the certificate of its "
			"signer: give it with -C" :
			"the signature of the recovery blob is not right");
	} else if ((size = BIO_get_mem_data(out, &data)) > 0) {
		if (env == NULL) {
			env = (const uint8_t *)data;
			n = (size_t)size;
		}
		b->env = with_info(env, n, &b->n);
		b->certs = CMS_get1_certs(cms);
		take_name(cms, b);
		rc = 1;
	} else
		reason_set(w, "blob",
		    "the recovery blob holds no archived key");
	CMS_ContentInfo_free(cms);
	BIO_free(out);
	reason_clear();
	return rc;
}

/* Has one message for bad padding, content and certificate: no oracle. */
static int
does_not_decrypt(struct reason *w)
{
	return reason_set(w, "blob", "the archived key does not decrypt");
}

/* Opens an EnvelopedData with one key, as agent_decrypt() does. */
static int
open_with(const struct trust_pair *k, const uint8_t *blob, size_t nblob,
    uint8_t **p8, size_t *n, uint8_t id[32], struct reason *w)
{
	uint8_t *plain;
	size_t nplain;
	int rc = agent_decrypt(k, blob, nblob, &plain, &nplain, w);

	if (rc != 1)
		return rc;
	*p8 = winblob_key(plain, nplain, n);
	OPENSSL_secure_clear_free(plain, nplain);
	if (*p8 != NULL && private_id(*p8, *n, id, w))
		return 1;
	OPENSSL_secure_clear_free(*p8, *p8 == NULL ? 0 : *n);
	return does_not_decrypt(w);
}

/*
 * Opens one with any key of a credential: one recipient's part may be damaged.
 * Returns 1 with the key in it, which is whole, and its identity (private_id),
 * or 0 with *w.
 */
static int
open_key(const struct trust *k, const uint8_t *blob, size_t nblob, uint8_t **p8,
    size_t *n, uint8_t id[32], struct reason *w)
{
	struct reason one;
	size_t i;
	int rc;

	for (i = 0; i < k->nkeys; i++) {
		rc = open_with(&k->v[i], blob, nblob, p8, n, id, &one);
		if (rc == 1)
			return 1;
		if (i == 0 || rc == 0)
			*w = one;
	}
	return 0;
}

static int
is_of(const uint8_t id[32], const struct cert *c)
{
	return memcmp(id, c->id, sizeof(c->id)) == 0;
}

/* Returns 1 if one of these has issued the certificate. */
static int
issued(const struct trust *cas, const struct cert *c)
{
	size_t i;

	for (i = 0; i < cas->n; i++)
		if (cert_is_of(c, cas->v[i].cert))
			return 1;
	return 0;
}

/*
 * Returns 1 if it may be this certificate: the one named.  If none is, the
 * signature covers none: then one that a trusted CA has issued, if only those
 * count.
 */
static int
is_candidate(const struct parts *b, const struct trust *trusted,
    const struct cert *c)
{
	if (b->name != NULL)
		return is_named(b, c);
	return trusted == NULL || issued(trusted, c);
}

/* Looks for the certificate of the key with this identity. */
static int
match_cert(const struct parts *b, const struct trust *trusted,
    const uint8_t id[32], struct cert **c, struct reason *w)
{
	int i, mine, fits, left_out = 0;

	reason_set(w, "blob",
	    "the recovery blob does not carry the user's "
	    "certificate");
	for (i = 0; i < sk_X509_num(b->certs); i++) {
		if (!cert_of_x509(c, sk_X509_value(b->certs, i), w))
			continue;
		mine = is_candidate(b, trusted, *c);
		fits = is_of(id, *c);
		if (mine && fits)
			return 1;
		left_out |= fits && b->name == NULL;
		if (mine)
			does_not_decrypt(w);
		cert_free(*c);
	}
	return left_out ?
	    reason_set(w, "blob",
		"the recovery blob does not name the user's certificate, "
		"and opens with none that a CA of -C has issued: without "
		"-C it may") :
	    0;
}

int
blob_open_signed(const struct trust *k, const struct trust *trusted,
    const uint8_t *der, size_t len, uint8_t **p8, size_t *n, struct cert **c,
    struct reason *w)
{
	struct parts b;
	uint8_t id[32];
	int rc;

	rc = unwrap(der, len, trusted, &b, w) &&
	    open_key(k, b.env, b.n, p8, n, id, w);
	if (rc && !match_cert(&b, trusted, id, c, w)) {
		OPENSSL_secure_clear_free(*p8, *n);
		rc = 0;
	}
	parts_free(&b);
	return rc;
}

/* Opens a record's recovery blob, which must be of its certificate c. */
static int
signed_row(const struct trust *k, const struct trust *trusted,
    const uint8_t *der, size_t len, const struct cert *c, uint8_t **p8,
    size_t *n, struct reason *w)
{
	struct cert *own;
	int same;

	if (!blob_open_signed(k, trusted, der, len, p8, n, &own, w))
		return 0;
	same = memcmp(own->sha256, c->sha256, sizeof(c->sha256)) == 0;
	cert_free(own);
	if (same)
		return 1;
	OPENSSL_secure_clear_free(*p8, *n);
	return reason_set(w, "certificate",
	    "the recovery blob is of another certificate than the record");
}

int
blob_open_row(const struct trust *k, const struct trust *trusted,
    const struct rec *r, uint8_t **p8, size_t *n, struct cert **c,
    struct reason *w)
{
	static const char nothing[] =
	    "no archived key in this row" HR_PROPERTY_EMPTY;
	uint8_t *der, id[32];
	size_t len;
	int rc;

	der = rec_b64(r, "cert", 0, &len);
	rc = der != NULL && cert_new(c, der, len, w);
	OPENSSL_free(der);
	if (!rc)
		return reason_set(w, "certificate",
		    "no certificate in the "
		    "record");
	if ((der = rec_b64(r, "recovery", 0, &len)) != NULL)
		rc = len == 0 ? reason_set(w, "none", "%s", nothing) :
				signed_row(k, trusted, der, len, *c, p8, n, w);
	else if (trusted != NULL)
		rc = reason_set(w, "signature",
		    "not signed, and -C wants that: "
		    "export it with ca-export -k");
	else if ((der = rec_b64(r, "blob", 0, &len)) == NULL || len == 0)
		rc = reason_set(w, "none", "%s", nothing);
	else if ((rc = open_key(k, der, len, p8, n, id, w)) && !is_of(id, *c)) {
		OPENSSL_secure_clear_free(*p8, *n);
		rc = does_not_decrypt(w);
	}
	OPENSSL_free(der);
	if (!rc)
		cert_free(*c);
	return rc;
}
