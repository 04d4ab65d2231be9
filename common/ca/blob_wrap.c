#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "ca/agent_hashes.h"
#include "ca/blob_open.h"

/* Adds a certificate, unless it is there: the CA may be one. */
static int
add_cert(CMS_ContentInfo *cms, X509 *x)
{
	return CMS_add1_cert(cms, x) ||
	    ERR_GET_REASON(ERR_peek_last_error()) ==
	    CMS_R_CERTIFICATE_ALREADY_PRESENT;
}

/* Adds a certificate, and its issuers that are there, up to the root. */
static int
add_chain(CMS_ContentInfo *cms, X509 *x, const struct trust *all)
{
	X509 *issuer = x;
	size_t i, n;

	/* a circle ends when each was there once */
	for (n = 0; issuer != NULL && n <= all->n; n++) {
		x = issuer;
		if (!add_cert(cms, x))
			return 0;
		issuer = NULL;
		for (i = 0; i < all->n && issuer == NULL; i++)
			if (all->v[i].cert != x &&
			    X509_check_issued(all->v[i].cert, x) == X509_V_OK)
				issuer = all->v[i].cert;
	}
	return 1;
}

/* Adds the certificates that go along. */
static int
add_certs(CMS_ContentInfo *cms, const struct blob_wrap_ca *ca,
    const struct cert *user, const char *hashes)
{
	X509 *x = cert_x509(user);
	int i, rc;

	rc = x != NULL && add_chain(cms, x, ca->all) &&
	    add_chain(cms, ca->ca->cert, ca->all);
	for (i = 0; rc && i < sk_X509_num(ca->agents); i++)
		if (agent_hashes_has(hashes, sk_X509_value(ca->agents, i)))
			rc = add_cert(cms, sk_X509_value(ca->agents, i));
	X509_free(x);
	return rc;
}

int
blob_wrap(const struct blob_wrap_ca *ca, const struct cert *user,
    const char *hashes, const uint8_t *blob, size_t n, uint8_t **der,
    size_t *len, struct reason *w)
{
	unsigned flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	CMS_SignerInfo *si = NULL;
	BIO *in = BIO_new_mem_buf(blob, (int)n);
	int size = -1;

	*der = NULL;
	if (cms != NULL && in != NULL &&
	    CMS_set1_eContentType(cms, OBJ_nid2obj(NID_pkcs7_enveloped)) &&
	    (si = CMS_add1_signer(cms, ca->ca->cert, ca->ca->key, EVP_sha256(),
		 flags)) != NULL &&
	    add_certs(cms, ca, user, hashes) &&
	    CMS_signed_add1_attr_by_txt(si, BLOB_HASH, V_ASN1_OCTET_STRING,
		user->sha1, sizeof(user->sha1)) &&
	    CMS_final(cms, in, NULL, CMS_BINARY))
		size = i2d_CMS_ContentInfo(cms, der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	if (size <= 0)
		return reason_ssl(w, "signature",
		    "cannot sign the recovery "
		    "blob");
	*len = (size_t)size;
	return 1;
}
