#include "record/signature.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "base/fuzzing.h"

int
signature_make(X509 *cert, EVP_PKEY *key, const void *data, size_t n,
    int with_cert, uint8_t **der, size_t *len, struct reason *w)
{
	CMS_ContentInfo *cms = NULL;
	BIO *in;
	int size = -1;

	*der = NULL;
	in = BIO_new_mem_buf(data, (int)n);
	if (in != NULL)
		cms = CMS_sign(cert, key, NULL, in,
		    CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP |
			(with_cert ? 0 : CMS_NOCERTS));
	if (cms != NULL)
		size = i2d_CMS_ContentInfo(cms, der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	if (size <= 0)
		return reason_ssl(w, "signature", "cannot sign");
	*len = (size_t)size;
	return 1;
}

/* Returns the signer of a detached signature with a sound hash, and no more. */
static CMS_SignerInfo *
only_signer(CMS_ContentInfo *cms, struct reason *w)
{
	STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(cms);
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	CMS_SignerInfo *si;
	X509_ALGOR *hash;
	const ASN1_OBJECT *oid;

	if (sk_CMS_SignerInfo_num(all) != 1) {
		reason_set(w, "signature", "%d signers instead of one",
		    sk_CMS_SignerInfo_num(all));
		return NULL;
	}
	if (content == NULL || *content != NULL ||
	    OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data) {
		reason_set(w, "signature", "not a detached signature of data");
		return NULL;
	}
	si = sk_CMS_SignerInfo_value(all, 0);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &hash, NULL);
	X509_ALGOR_get0(&oid, NULL, NULL, hash);
	switch (OBJ_obj2nid(oid)) {
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
		return si;
	default:
		reason_set(w, "signature", "hash weaker than SHA-256");
		return NULL;
	}
}

/* Returns the certificate with this hash, borrowed. */
static X509 *
find(STACK_OF(X509) *certs, const uint8_t sha256[32])
{
	uint8_t md[32];
	int i;

	for (i = 0; i < sk_X509_num(certs); i++)
		if (X509_digest(sk_X509_value(certs, i), EVP_sha256(), md,
			NULL) &&
		    memcmp(md, sha256, sizeof(md)) == 0)
			return sk_X509_value(certs, i);
	return NULL;
}

int
signature_check(const uint8_t *der, size_t len, const void *data, size_t n,
    STACK_OF(X509) *certs, const uint8_t sha256[32], X509 **signer,
    struct reason *w)
{
	STACK_OF(X509) *one = sk_X509_new_null(), *inside = NULL;
	CMS_ContentInfo *cms;
	const uint8_t *p = der;
	CMS_SignerInfo *si;
	/* CMS_verify() copies a memory BIO, and may lose the copy: hide it */
	BIO *mem = BIO_new_mem_buf(data, (int)n), *in = BIO_new(BIO_f_null());
	X509 *cert;
	int rc = 0;

	cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	if (cms == NULL || p != der + len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		reason_set(w, "signature",
		    "not a CMS SignedData (RFC 5652 section 5.1)");
		goto out;
	}
	if ((si = only_signer(cms, w)) == NULL)
		goto out;
	if (certs == NULL)
		inside = CMS_get1_certs(cms);
	cert = find(certs == NULL ? inside : certs, sha256);
	if (cert == NULL) {
		reason_set(w, "signature",
		    certs == NULL ?
			"the signature does not carry the signer's certificate" :
			"signed by a certificate that is not trusted: none of -C, "
			"or, without -C, that of -k");
		goto out;
	}
	if (CMS_SignerInfo_cert_cmp(si, cert) != 0) {
		reason_set(w, "signature",
		    "made by another certificate than the record says");
		goto out;
	}
	if (one == NULL || mem == NULL || in == NULL ||
	    !sk_X509_push(one, cert) ||
	    !(CMS_verify(cms, one, NULL, BIO_push(in, mem), NULL,
		  CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1 ||
		FUZZING)) {
		reason_set(w, "signature",
		    "does not fit the line: altered, or "
		    "made by another key");
		goto out;
	}
	if (signer != NULL && X509_up_ref(cert))
		*signer = cert;
	rc = 1;
out:
	sk_X509_free(one);
	sk_X509_pop_free(inside, X509_free);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(mem);
	reason_clear();
	return rc;
}
