#include "recovery.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "kra.h"
#include "pkey.h"

/* Adds a certificate, unless it is there: the CA may be a KRA. */
static int
add_cert(CMS_ContentInfo *cms, X509 *x)
{
	return CMS_add1_cert(cms, x) ||
	    ERR_GET_REASON(ERR_peek_last_error()) ==
	    CMS_R_CERTIFICATE_ALREADY_PRESENT;
}

/* The certificates that go along: the user's and the KRAs'. */
static int
add_certs(CMS_ContentInfo *cms, const struct cert *user, STACK_OF(X509) *kras)
{
	X509 *x = cert_x509(user);
	int i, rc;

	rc = x != NULL && add_cert(cms, x);
	for (i = 0; rc && i < sk_X509_num(kras); i++)
		rc = add_cert(cms, sk_X509_value(kras, i));
	X509_free(x);
	return rc;
}

int
recovery_wrap(const struct cred_pair *ca, const struct cert *user,
    STACK_OF(X509) *kras, const uint8_t *blob, size_t n, uint8_t **der,
    size_t *len, struct why *w)
{
	unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	CMS_SignerInfo *si = NULL;
	BIO *in = BIO_new_mem_buf(blob, (int)n);
	int size = -1;

	*der = NULL;
	if (cms != NULL && in != NULL &&
	    CMS_set1_eContentType(cms, OBJ_nid2obj(NID_pkcs7_enveloped)) &&
	    (si = CMS_add1_signer(cms, ca->cert, ca->key, EVP_sha256(),
		 flags)) != NULL &&
	    add_certs(cms, user, kras) &&
	    CMS_signed_add1_attr_by_txt(si, RECOVERY_HASH, V_ASN1_OCTET_STRING,
		user->sha1, sizeof(user->sha1)) &&
	    CMS_final(cms, in, NULL, CMS_BINARY))
		size = i2d_CMS_ContentInfo(cms, der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	if (size <= 0)
		return why_ssl(w, "signature",
		    "cannot sign the recovery "
		    "blob");
	*len = (size_t)size;
	return 1;
}

/* Signature of the first signer, chain and expiry aside. */
static int
verify(CMS_ContentInfo *cms, const struct cred *trusted, BIO *out)
{
	STACK_OF(X509) *certs = NULL;
	unsigned flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY;
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

static int
named_hash(CMS_ContentInfo *cms, uint8_t hash[20])
{
	CMS_SignerInfo *si;
	ASN1_OBJECT *oid = OBJ_txt2obj(RECOVERY_HASH, 1);
	ASN1_OCTET_STRING *s;
	int ok;

	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	s = si == NULL || oid == NULL ?
	    NULL :
	    CMS_signed_get0_data_by_OBJ(si, oid, -3, V_ASN1_OCTET_STRING);
	ok = s != NULL && ASN1_STRING_length(s) == 20;
	if (ok)
		memcpy(hash, ASN1_STRING_get0_data(s), 20);
	ASN1_OBJECT_free(oid);
	return ok;
}

/*
 * Takes a blob apart: the EnvelopedData in *blob (OPENSSL_free), the
 * certificates in *certs (sk_X509_pop_free), and in hash the SHA-1 of the
 * user's certificate if the blob names it (else *has_hash is 0).
 */
static int
unwrap(const uint8_t *der, size_t len, const struct cred *trusted,
    uint8_t **blob, size_t *n, STACK_OF(X509) **certs, uint8_t hash[20],
    int *has_hash, struct why *w)
{
	const uint8_t *p = der;
	CMS_ContentInfo *cms;
	BIO *out = BIO_new(BIO_s_mem());
	char *data;
	long size;
	int rc = 0;

	*blob = NULL;
	*certs = NULL;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	if (out == NULL || cms == NULL || p != der + len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		why_set(w, "blob",
		    "not a recovery blob: CMS SignedData (RFC "
		    "5652 section 5.1) around the archived key");
	} else if (!verify(cms, trusted, out)) {
		why_set(w, "signature",
		    "the signature of the recovery blob "
		    "is not right%s",
		    trusted != NULL ? ", or not of a "
				      "certificate of -C" :
				      "");
	} else if ((size = BIO_get_mem_data(out, &data)) > 0 &&
	    (*blob = OPENSSL_memdup(data, (size_t)size)) != NULL) {
		*n = (size_t)size;
		*certs = CMS_get1_certs(cms);
		*has_hash = named_hash(cms, hash);
		rc = 1;
	} else
		why_set(w, "blob", "the recovery blob holds no archived key");
	CMS_ContentInfo_free(cms);
	BIO_free(out);
	why_clear();
	return rc;
}

/* PKCS#8 of what an archived key held: RSA private key BLOB or PKCS#8. */
static uint8_t *
content_key(const uint8_t *p, size_t n, size_t *len)
{
	uint8_t *out;

	if (n > 0 && p[0] == 0x30) {
		if ((out = OPENSSL_secure_malloc(n)) != NULL)
			memcpy(out, p, n);
		*len = n;
		return out;
	}
	return pkey_from_msblob(p, n, len);
}

/* Opens an EnvelopedData and proves the key in it against c. */
static int
open_key(const struct cred *k, const uint8_t *blob, size_t nblob,
    const struct cert *c, uint8_t **p8, size_t *n, struct why *w)
{
	uint8_t *plain;
	size_t nplain;

	if (!kra_decrypt(k, blob, nblob, &plain, &nplain, w))
		return 0;
	*p8 = content_key(plain, nplain, n);
	OPENSSL_secure_clear_free(plain, nplain);
	if (*p8 != NULL && pkey_prove(*p8, *n, c, w))
		return 1;
	OPENSSL_secure_clear_free(*p8, *p8 == NULL ? 0 : *n);
	/* the same words as for bad padding: no oracle */
	return why_set(w, "blob", "the archived key does not decrypt");
}

/* Has one of these issued the certificate? */
static int
issued(const struct cred *cas, const struct cert *c)
{
	size_t i;

	for (i = 0; i < cas->n; i++)
		if (cert_is_of(c, cas->v[i].cert))
			return 1;
	return 0;
}

/*
 * Tries the certificates of a blob: the one named, or else each.  The signature
 * does not cover them: one that is not named must be of a trusted CA, if only
 * such are.
 */
static int
match_cert(const struct cred *k, const struct cred *trusted,
    const uint8_t *blob, size_t nblob, STACK_OF(X509) *certs,
    const uint8_t *hash, uint8_t **p8, size_t *n, struct cert **c,
    struct why *w)
{
	uint8_t *der;
	int i, size, mine, left_out = 0, rc = 0;

	why_set(w, "blob",
	    "the recovery blob does not carry the user's "
	    "certificate");
	for (i = 0; !rc && i < sk_X509_num(certs); i++) {
		der = NULL;
		size = i2d_X509(sk_X509_value(certs, i), &der);
		if (size > 0 && cert_new(c, der, (size_t)size, w)) {
			mine = hash == NULL ?
			    trusted == NULL || issued(trusted, *c) :
			    memcmp((*c)->sha1, hash, 20) == 0;
			left_out |= !mine && hash == NULL;
			if (mine)
				rc = open_key(k, blob, nblob, *c, p8, n, w);
			if (!rc)
				cert_free(*c);
		}
		OPENSSL_free(der);
	}
	if (!rc && left_out)
		why_set(w, "blob",
		    "the recovery blob does not name the user's certificate, "
		    "and opens with none that a CA of -C has issued: without "
		    "-C it may");
	return rc;
}

int
recovery_signed(const struct cred *k, const struct cred *trusted,
    const uint8_t *der, size_t len, uint8_t **p8, size_t *n, struct cert **c,
    struct why *w)
{
	STACK_OF(X509) *certs;
	uint8_t *blob, hash[20];
	size_t nblob;
	int has_hash, rc;

	if (!unwrap(der, len, trusted, &blob, &nblob, &certs, hash, &has_hash,
		w))
		return 0;
	rc = match_cert(k, trusted, blob, nblob, certs, has_hash ? hash : NULL,
	    p8, n, c, w);
	OPENSSL_free(blob);
	sk_X509_pop_free(certs, X509_free);
	return rc;
}

/* A recovery blob in a record: it must be of the record's certificate c. */
static int
signed_row(const struct cred *k, const struct cred *trusted, const uint8_t *der,
    size_t len, const struct cert *c, uint8_t **p8, size_t *n, struct why *w)
{
	struct cert *own;
	int same;

	if (!recovery_signed(k, trusted, der, len, p8, n, &own, w))
		return 0;
	same = memcmp(own->sha256, c->sha256, sizeof(c->sha256)) == 0;
	cert_free(own);
	if (same)
		return 1;
	OPENSSL_secure_clear_free(*p8, *n);
	return why_set(w, "certificate",
	    "the recovery blob is of another certificate than the record");
}

int
recovery_row(const struct cred *k, const struct cred *trusted,
    const struct rec *r, uint8_t **p8, size_t *n, struct cert **c,
    struct why *w)
{
	static const char nothing[] = "no archived key in this row";
	uint8_t *der;
	size_t len;
	int rc;

	der = rec_b64(r, "cert", 0, &len);
	rc = der != NULL && cert_new(c, der, len, w);
	OPENSSL_free(der);
	if (!rc)
		return why_set(w, "certificate",
		    "no certificate in the "
		    "record");
	if ((der = rec_b64(r, "recovery", 0, &len)) != NULL)
		rc = len == 0 ? why_set(w, "none", "%s", nothing) :
				signed_row(k, trusted, der, len, *c, p8, n, w);
	else if (trusted != NULL)
		rc = why_set(w, "signature",
		    "not signed, and -C wants that: "
		    "export it with ca-export -k");
	else if ((der = rec_b64(r, "blob", 0, &len)) == NULL || len == 0)
		rc = why_set(w, "none", "%s", nothing);
	else
		rc = open_key(k, der, len, *c, p8, n, w);
	OPENSSL_free(der);
	if (!rc)
		cert_free(*c);
	return rc;
}
