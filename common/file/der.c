#include "file/der.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "base/heap.h"
#include "file/p12.h"
#include "key/private.h"
#include "key/tlv.h"
#include "lock/lanes.h"
#include "lock/passform.h"
#include "lock/pbe.h"

/* Returns 1 if all n bytes are a OneAsymmetricKey (RFC 5958 section 2). */
static int
der_is_p8(const uint8_t *p, size_t n)
{
	void *key = tlv_item(p, n, ASN1_ITEM_rptr(PRIVATE_ANY));

	ASN1_item_free(key, ASN1_ITEM_rptr(PRIVATE_ANY));
	reason_clear();
	return key != NULL;
}

/*
 * Tries the next forms of a password, as many as are derived side by side.
 * Returns 1 with the key, 0, or -1 with *w; *more is 0 if there were none.
 */
static int
der_try(const X509_SIG *sig, struct passform_tries *t, uint8_t **p8, size_t *n,
    int *more, struct reason *w)
{
	struct ahead *a[LANES_MOST];
	const ASN1_OCTET_STRING *data;
	const X509_ALGOR *alg;
	size_t i, count;
	int rc = 0;

	X509_SIG_get0(sig, &alg, &data);
	for (count = 0; count < (t->i == 0 ? 1 : LANES_MOST) &&
	     (a[count] = ahead_new(t)) != NULL;
	     count++)
		pbe_ahead(a[count], alg);
	ahead_derive(a, count);
	*more = count > 0;
	for (i = 0; i < count && rc == 0; i++) {
		heap_check();
		rc = pbe_decrypt(alg, &a[i]->form, a[i],
		    ASN1_STRING_get0_data(data),
		    (size_t)ASN1_STRING_length(data), p8, n, w);
		if (rc == 1 && !(rc = der_is_p8(*p8, *n)))
			OPENSSL_clear_free(*p8, *n);
		if (rc == 1)
			passform_worked(&a[i]->tries);
	}
	while (count > 0)
		ahead_free(a[--count]);
	return rc;
}

/* Reads encrypted PKCS#8 (RFC 5208 section 6), and tries each password. */
static int
der_read_encrypted(const X509_SIG *sig, struct secrets *s, struct findings *l,
    struct reason *w)
{
	struct passform_tries t = { .secrets = s };
	uint8_t *p8;
	size_t n;
	int rc = 0, more = 1;

	while (rc == 0 && more)
		rc = der_try(sig, &t, &p8, &n, &more, w);
	if (rc == 0)
		secret_wrong(s, "encrypted private key does not open", w);
	if (rc != 1)
		return 0;
	findings_add_key(l, p8, n, NULL, 0);
	OPENSSL_clear_free(p8, n);
	return 1;
}

static void
der_add_certs(STACK_OF(X509) *certs, struct findings *l)
{
	uint8_t *der;
	int i, len;

	for (i = 0; i < sk_X509_num(certs); i++) {
		der = NULL;
		len = i2d_X509(sk_X509_value(certs, i), &der);
		if (len > 0)
			findings_add_cert(l, der, (size_t)len, NULL, 0);
		OPENSSL_free(der);
	}
}

static int der_read_one(const uint8_t *p, size_t n, int depth, struct secrets *,
    struct findings *l, struct reason *w);

/* Reads signed content: a key or certificate, maybe signed, else a fault. */
static void
der_read_content(const uint8_t *p, size_t n, int depth, struct secrets *s,
    struct findings *l)
{
	struct findings one = { NULL, 0 };
	struct reason w = { .reason = "" };

	if (n > 0 && !der_read_one(p, n, depth + 1, s, &one, &w)) {
		if (strcmp(w.reason, "format") == 0)
			reason_set(&w, "unsupported",
			    "what is signed in CMS SignedData is not read: "
			    "take it out with openssl cms -verify -noverify "
			    "-nosigs, and feed it in; if it is mail, it is no "
			    "key");
		findings_add_fault(&one, &w);
	}
	findings_move(l, &one);
}

/* Reads the content of a PKCS#7 of the old kind. */
static void
der_read_p7_content(PKCS7 *content, int depth, struct secrets *s,
    struct findings *l)
{
	uint8_t *der = NULL;
	int n;

	if (content->d.ptr == NULL || PKCS7_type_is_enveloped(content))
		return;
	if (PKCS7_type_is_data(content)) {
		der_read_content(ASN1_STRING_get0_data(content->d.data),
		    (size_t)ASN1_STRING_length(content->d.data), depth, s, l);
		return;
	}
	if ((n = i2d_PKCS7(content, &der)) > 0)
		der_read_content(der, (size_t)n, depth, s, l);
	OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
}

/*
 * Reads a PKCS#7 of the old kind, which OpenSSL's CMS parser may refuse.
 * Returns 1 if it is SignedData, with its content in *inner.
 */
static int
der_read_p7(const uint8_t *p, size_t n, int depth, struct secrets *s,
    struct findings *l, int *inner)
{
	const uint8_t *q = p;
	PKCS7 *p7 = d2i_PKCS7(NULL, &q, (long)n);
	int rc;

	rc = p7 != NULL && q == p + n && PKCS7_type_is_signed(p7) &&
	    p7->d.sign != NULL;
	if (rc) {
		der_add_certs(p7->d.sign->cert, l);
		*inner = OBJ_obj2nid(p7->d.sign->contents->type);
		der_read_p7_content(p7->d.sign->contents, depth, s, l);
	}
	PKCS7_free(p7);
	return rc;
}

/* Returns the type of what may be CMS (RFC 5652 section 3), or NID_undef. */
static int
der_cms_type(const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	struct tlv_part oid;
	ASN1_OBJECT *o;
	int nid;

	if (!tlv_into(&p, end, TLV_SEQ) || !tlv_part(&oid, &p, end, TLV_OID) ||
	    !tlv_into(&p, end, TLV_0))
		return NID_undef;
	o = d2i_ASN1_OBJECT(NULL, &oid.p, (long)oid.n);
	nid = o == NULL ? NID_undef : OBJ_obj2nid(o);
	ASN1_OBJECT_free(o);
	return nid;
}

/* Names CMS that is not read.  Returns 1, or 0 if it is none. */
static int
der_cms_other(int type, struct reason *w)
{
	const char *what = NULL;

	switch (type) {
	case NID_pkcs7_encrypted:
		what =
		    "EncryptedData (RFC 5652 section 8), whose key is not in "
		    "it: decrypt it with openssl cms "
		    "-EncryptedData_decrypt, and feed that in";
		break;
	case NID_id_smime_ct_compressedData:
		what =
		    "CompressedData (RFC 3274): take it out with openssl cms "
		    "-uncompress, and feed that in; if it is mail, it is no "
		    "key";
		break;
	case NID_id_smime_ct_authEnvelopedData:
		what = "AuthEnvelopedData (RFC 5083), encrypted to a "
		       "certificate: if it is mail, it is no key; else decrypt "
		       "it with openssl cms -decrypt, and feed that in";
		break;
	default:
		return 0;
	}
	reason_set(w, "unsupported", "CMS %s", what);
	return 1;
}

/*
 * Reads certificates and content of a SignedData (RFC 5652 section 5.1).
 * Returns 1 if it is one, or other CMS, which *w then names.
 */
static int
der_read_cms(const uint8_t *p, size_t n, int depth, struct secrets *s,
    struct findings *l, struct reason *w)
{
	const uint8_t *q = p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &q, (long)n);
	STACK_OF(X509) *certs;
	ASN1_OCTET_STRING **content;
	int type = der_cms_type(p, n), inner = NID_undef;

	if (der_cms_other(type, w)) {
		CMS_ContentInfo_free(cms);
		findings_add_fault(l, w);
		return 1;
	}
	type = cms != NULL && q == p + n ? OBJ_obj2nid(CMS_get0_type(cms)) :
					   NID_undef;
	if (type == NID_pkcs7_signed) {
		inner = OBJ_obj2nid(CMS_get0_eContentType(cms));
		certs = CMS_get1_certs(cms);
		der_add_certs(certs, l);
		sk_X509_pop_free(certs, X509_free);
		content = CMS_get0_content(cms);
		if (inner != NID_pkcs7_enveloped && content != NULL &&
		    *content != NULL)
			der_read_content(ASN1_STRING_get0_data(*content),
			    (size_t)ASN1_STRING_length(*content), depth, s, l);
	} else if (type == NID_undef && der_read_p7(p, n, depth, s, l, &inner))
		type = NID_pkcs7_signed;
	CMS_ContentInfo_free(cms);
	if (type == NID_pkcs7_enveloped || inner == NID_pkcs7_enveloped) {
		reason_set(w, "unsupported",
		    "CMS encrypted to a certificate: if a CA archived a key "
		    "in it, give it to ca-recover; if it is mail, it is no "
		    "key");
		if (l->n > 0)
			findings_add_fault(l, w);
	} else if (type == NID_pkcs7_signed)
		reason_set(w, "noted", "SignedData without a certificate");
	else
		return 0;
	return 1;
}

/* Names a known object without key or certificate.  Returns 1 with *w. */
static int
der_noted(const uint8_t *p, size_t n, struct reason *w)
{
	const uint8_t *q[3] = { p, p, p };
	X509_CRL *crl = d2i_X509_CRL(NULL, &q[0], (long)n);
	X509_REQ *req = d2i_X509_REQ(NULL, &q[1], (long)n);
	X509_PUBKEY *pub = d2i_X509_PUBKEY(NULL, &q[2], (long)n);
	char issuer[256];
	int rc = 1;

	if (crl != NULL && q[0] == p + n)
		reason_set(w, "noted", "a CRL of %s",
		    X509_NAME_oneline(X509_CRL_get_issuer(crl), issuer,
			sizeof(issuer)));
	else if (req != NULL && q[1] == p + n)
		reason_set(w, "noted", "a certificate request");
	else if (pub != NULL && q[2] == p + n)
		reason_set(w, "noted", "a public key");
	else
		rc = 0;
	X509_CRL_free(crl);
	X509_REQ_free(req);
	X509_PUBKEY_free(pub);
	return rc;
}

/* Returns the size of the object at p, if only padding follows. */
static size_t
der_without_padding(const uint8_t *p, size_t n)
{
	const uint8_t *q = p, *end = p + n;
	long len;
	int tag, class;

	/* 0x80: constructed with an error, or of indefinite length */
	if ((ASN1_get_object(&q, &len, &tag, &class, (long)n) & 0x81) != 0)
		return n;
	while (end > q + len &&
	    (end[-1] == 0 || end[-1] == 0x1a || end[-1] == '\n' ||
		end[-1] == '\r'))
		end--;
	return end == q + len ? (size_t)(end - p) : n;
}

/* Reads a private key that is not PKCS#12. */
static int
der_read_key(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w, int *rc)
{
	const uint8_t *q = p;
	X509_SIG *sig = NULL;
	uint8_t *p8;
	size_t len;

	*rc = 1;
	if (der_is_p8(p, n)) {
		findings_add_key(l, p, n, NULL, 0);
	} else if ((sig = d2i_X509_SIG(NULL, &q, (long)n)) != NULL &&
	    q == p + n) {
		*rc = der_read_encrypted(sig, s, l, w);
	} else if ((p8 = private_traditional(p, n, &len)) != NULL) {
		findings_add_key(l, p8, len, NULL, 0);
		OPENSSL_secure_clear_free(p8, len);
	} else
		*rc = -1;
	X509_SIG_free(sig);
	return *rc != -1;
}

/* Does as der_read(), inside so many signatures. */
static int
der_read_one(const uint8_t *p, size_t n, int depth, struct secrets *s,
    struct findings *l, struct reason *w)
{
	int rc = 1;

	if (p12_is(p, n))
		return p12_read(p, n, s, NULL, l, w);
	n = der_without_padding(p, n);
	if (findings_try_cert(l, p, n, w)) {
		reason_clear();
		return 1;
	}
	if (!der_read_key(p, n, s, l, w, &rc) &&
	    (depth == DER_SIGNED_MAX || !der_read_cms(p, n, depth, s, l, w)) &&
	    !der_noted(p, n, w))
		rc = reason_set(w, "format",
		    "DER of an unknown kind, or damaged: if it holds keys, get "
		    "them out as PKCS#12");
	else if (rc && l->n == 0)
		rc = strcmp(w->reason, "noted") == 0;
	reason_clear();
	return rc;
}

int
der_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	return der_read_one(p, n, 0, s, l, w);
}
