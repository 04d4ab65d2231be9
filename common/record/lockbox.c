#include "record/lockbox.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/heap.h"

/* Sets OAEP for an RSA recipient; an EC key agreement needs nothing. */
static int
oaep(CMS_RecipientInfo *ri)
{
	EVP_PKEY_CTX *ctx;

	if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_TRANS)
		return 1;
	ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	return ctx != NULL &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0;
}

int
lockbox_make(X509 *to, const uint8_t key[BOX_KEY], uint8_t **der, size_t *len,
    struct reason *w)
{
	CMS_ContentInfo *cms;
	CMS_RecipientInfo *ri;
	BIO *in = BIO_new_mem_buf(key, BOX_KEY);
	int size = -1;

	*der = NULL;
	cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(),
	    CMS_BINARY | CMS_PARTIAL);
	if (cms != NULL && in != NULL &&
	    (ri = CMS_add1_recipient_cert(cms, to, CMS_KEY_PARAM)) != NULL &&
	    oaep(ri) && CMS_final(cms, in, NULL, CMS_BINARY))
		size = i2d_CMS_ContentInfo(cms, der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	heap_scrub(); /* libcrypto copies the content through it */
	if (size <= 0)
		return reason_ssl(w, "lockbox",
		    "cannot encrypt to the "
		    "certificate");
	*len = (size_t)size;
	return 1;
}

int
lockbox_open(X509 *cert, EVP_PKEY *pk, const uint8_t *der, size_t len,
    uint8_t key[BOX_KEY], struct reason *w)
{
	const uint8_t *p = der;
	CMS_ContentInfo *cms;
	BIO *out = BIO_new(BIO_s_secmem());
	char *data;
	int rc = 0;

	cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	if (cms != NULL && p == der + len && out != NULL &&
	    CMS_decrypt(cms, pk, cert, NULL, out, CMS_BINARY) == 1 &&
	    BIO_get_mem_data(out, &data) == BOX_KEY) {
		memcpy(key, data, BOX_KEY);
		rc = 1;
	}
	CMS_ContentInfo_free(cms);
	BIO_free(out);
	heap_scrub();
	reason_clear();
	if (!rc)
		reason_set(w, "lockbox",
		    "lockbox: does not open with this key");
	return rc;
}
