#include "record/seal.h"

#include <openssl/cms.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/heap.h"

#define INFO  "kms2ca seal v1"
#define NONCE 12

struct seal {
	EVP_CIPHER_CTX *enc, *dec; /* keyed once, a new nonce a record */
	uint8_t id[SEAL_ID];
};

/* RFC 5869, salt = id, info = INFO and the hash of the head. */
static int
derive(uint8_t out[SEAL_KEY], const uint8_t key[SEAL_KEY],
    const uint8_t id[SEAL_ID], const uint8_t head[32])
{
	uint8_t info[sizeof(INFO) - 1 + 32], salt[SEAL_ID], ikm[SEAL_KEY];
	char sha256[] = "SHA256";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = { OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST,
				    sha256, 6),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, ikm, sizeof(ikm)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, salt,
		    sizeof(salt)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info,
		    sizeof(info)),
		OSSL_PARAM_END };
	int rc;

	memcpy(ikm, key, sizeof(ikm));
	memcpy(salt, id, sizeof(salt));
	memcpy(info, INFO, sizeof(INFO) - 1);
	memcpy(info + sizeof(INFO) - 1, head, 32);
	rc = ctx != NULL && EVP_KDF_derive(ctx, out, SEAL_KEY, params) == 1;
	OPENSSL_cleanse(ikm, sizeof(ikm));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

struct seal *
seal_new(const uint8_t key[SEAL_KEY], const uint8_t id[SEAL_ID],
    const uint8_t head[32])
{
	uint8_t k[SEAL_KEY];
	struct seal *s;
	int rc;

	if ((s = OPENSSL_zalloc(sizeof(*s))) == NULL)
		return NULL;
	memcpy(s->id, id, SEAL_ID);
	s->enc = EVP_CIPHER_CTX_new();
	s->dec = EVP_CIPHER_CTX_new();
	rc = s->enc != NULL && s->dec != NULL && derive(k, key, id, head) &&
	    EVP_EncryptInit_ex(s->enc, EVP_aes_256_gcm(), NULL, k, NULL) &&
	    EVP_DecryptInit_ex(s->dec, EVP_aes_256_gcm(), NULL, k, NULL);
	OPENSSL_cleanse(k, sizeof(k));
	if (rc)
		return s;
	seal_free(s);
	return NULL;
}

struct seal *
seal_random(void)
{
	static const uint8_t none[32];
	uint8_t key[SEAL_KEY], id[SEAL_ID];
	struct seal *s;

	if (RAND_priv_bytes(key, SEAL_KEY) != 1 ||
	    RAND_bytes(id, SEAL_ID) != 1 ||
	    (s = seal_new(key, id, none)) == NULL)
		heap_nomem();
	OPENSSL_cleanse(key, sizeof(key));
	return s;
}

void
seal_free(struct seal *s)
{
	if (s == NULL)
		return;
	EVP_CIPHER_CTX_free(s->enc);
	EVP_CIPHER_CTX_free(s->dec);
	OPENSSL_free(s);
}

/* The record's number as a 96-bit number, most significant byte first. */
static void
nonce(uint8_t iv[NONCE], unsigned long long num)
{
	int i;

	for (i = NONCE - 1; i >= 0; i--, num >>= 8)
		iv[i] = (uint8_t)num;
}

int
seal_close(struct seal *s, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t iv[NONCE];
	int len;

	nonce(iv, num);
	return EVP_EncryptInit_ex(s->enc, NULL, NULL, NULL, iv) &&
	    EVP_EncryptUpdate(s->enc, NULL, &len, s->id, SEAL_ID) &&
	    EVP_EncryptUpdate(s->enc, NULL, &len, (const uint8_t *)aad,
		(int)aadlen) &&
	    EVP_EncryptUpdate(s->enc, out, &len, in, (int)n) &&
	    EVP_EncryptFinal_ex(s->enc, out + n, &len) &&
	    EVP_CIPHER_CTX_ctrl(s->enc, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG,
		out + n);
}

int
seal_open(struct seal *s, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t iv[NONCE], tag[SEAL_TAG], none;
	int len, rc;

	if (n < SEAL_TAG)
		return 0;
	n -= SEAL_TAG;
	memcpy(tag, in + n, SEAL_TAG);
	nonce(iv, num);
	rc = EVP_DecryptInit_ex(s->dec, NULL, NULL, NULL, iv) &&
	    EVP_DecryptUpdate(s->dec, NULL, &len, s->id, SEAL_ID) &&
	    EVP_DecryptUpdate(s->dec, NULL, &len, (const uint8_t *)aad,
		(int)aadlen) &&
	    EVP_DecryptUpdate(s->dec, out, &len, in, (int)n) &&
	    EVP_CIPHER_CTX_ctrl(s->dec, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) &&
	    EVP_DecryptFinal_ex(s->dec, &none, &len);
	if (!rc && n > 0)
		OPENSSL_cleanse(out, n);
	reason_clear();
	return rc;
}

/* OAEP for RSA recipients; the key agreement of EC needs nothing. */
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
lockbox_make(X509 *to, const uint8_t key[SEAL_KEY], uint8_t **der, size_t *len,
    struct reason *w)
{
	CMS_ContentInfo *cms;
	CMS_RecipientInfo *ri;
	BIO *in = BIO_new_mem_buf(key, SEAL_KEY);
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
    uint8_t key[SEAL_KEY], struct reason *w)
{
	const uint8_t *p = der;
	CMS_ContentInfo *cms;
	BIO *out = BIO_new(BIO_s_secmem());
	char *data;
	int rc = 0;

	cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	if (cms != NULL && p == der + len && out != NULL &&
	    CMS_decrypt(cms, pk, cert, NULL, out, CMS_BINARY) == 1 &&
	    BIO_get_mem_data(out, &data) == SEAL_KEY) {
		memcpy(key, data, SEAL_KEY);
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
