#include "ca/agent.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/heap.h"
#include "ca/agent_hashes.h"
#include "ca/hresult.h"

int
agent_is(X509 *x)
{
	EXTENDED_KEY_USAGE *eku;
	char oid[80];
	int i, found = 0;

	eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	for (i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		(void)OBJ_obj2txt(oid, sizeof(oid),
		    sk_ASN1_OBJECT_value(eku, i), 1);
		found |= strcmp(oid, AGENT_EKU) == 0;
	}
	EXTENDED_KEY_USAGE_free(eku);
	reason_clear();
	return found;
}

int
agent_check(X509 *x, X509 *ca, struct reason *w)
{
	EVP_PKEY *pk = X509_get0_pubkey(x);
	time_t now = time(NULL);
	int started;

	if (pk == NULL || EVP_PKEY_get_base_id(pk) != EVP_PKEY_RSA ||
	    EVP_PKEY_get_bits(pk) < AGENT_BITS_MIN)
		return reason_set(w, "kra", "not an RSA key of %d bits or more",
		    AGENT_BITS_MIN);
	if (ca != NULL &&
	    (X509_check_issued(ca, x) != X509_V_OK ||
		X509_verify(x, X509_get0_pubkey(ca)) != 1))
		return reason_set(w, "kra",
		    "not issued by the CA of the "
		    "archive");
	if (!agent_is(x))
		return reason_set(w, "kra",
		    "no extended key usage " AGENT_EKU " (key recovery agent)");
	/* UINT32_MAX stands for a certificate without key usage */
	if ((X509_get_key_usage(x) & KU_KEY_ENCIPHERMENT) == 0 ||
	    X509_get_key_usage(x) == UINT32_MAX)
		return reason_set(w, "kra", "no key usage keyEncipherment");
	/* -2 is a time that cannot be read */
	if (ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), now) <= 0)
		return reason_set(w, "kra", "expired");
	started = ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), now);
	if (started == 1 || started == -2)
		return reason_set(w, "kra", "not valid yet");
	return 1;
}

int
agent_encrypt(STACK_OF(X509) *agents, const uint8_t *in, size_t n,
    uint8_t **der, size_t *len, struct reason *w)
{
	BIO *bio = BIO_new_mem_buf(in, (int)n);
	CMS_ContentInfo *cms = NULL;
	int size = -1;

	*der = NULL;
	if (bio != NULL)
		cms = CMS_encrypt(agents, bio, EVP_aes_256_cbc(), CMS_BINARY);
	if (cms != NULL)
		size = i2d_CMS_ContentInfo(cms, der);
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	heap_scrub(); /* libcrypto copies the content through it */
	if (size <= 0)
		return reason_ssl(w, "kra", "cannot encrypt to the KRAs");
	*len = (size_t)size;
	return 1;
}

int
agent_usable(X509 *x, struct reason *w)
{
	STACK_OF(X509) *one = sk_X509_new_null();
	uint8_t *der = NULL;
	size_t len;
	int rc;

	rc = one != NULL && sk_X509_push(one, x) > 0 &&
	    agent_encrypt(one, (const uint8_t *)"", 1, &der, &len, w);
	if (!rc)
		reason_set(w, "kra",
		    "its key cannot encrypt (a signature-only key?)");
	OPENSSL_free(der);
	sk_X509_free(one);
	return rc;
}

/* Returns 1 if x agrees on a key: EC, which ca-init takes with -f. */
static int
agrees(CMS_RecipientInfo *ri, X509 *x)
{
	STACK_OF(CMS_RecipientEncryptedKey) *all;
	int i;

	all = CMS_RecipientInfo_kari_get0_reks(ri);
	for (i = 0; i < sk_CMS_RecipientEncryptedKey_num(all); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(
			sk_CMS_RecipientEncryptedKey_value(all, i), x) == 0)
			return 1;
	return 0;
}

/* Returns 1 if one of the recipients is this certificate. */
static int
is_recipient(CMS_ContentInfo *cms, X509 *x)
{
	STACK_OF(CMS_RecipientInfo) *all = CMS_get0_RecipientInfos(cms);
	CMS_RecipientInfo *ri;
	int i, type;

	for (i = 0; i < sk_CMS_RecipientInfo_num(all); i++) {
		ri = sk_CMS_RecipientInfo_value(all, i);
		type = CMS_RecipientInfo_type(ri);
		if ((type == CMS_RECIPINFO_TRANS &&
			CMS_RecipientInfo_ktri_cert_cmp(ri, x) == 0) ||
		    (type == CMS_RECIPINFO_AGREE && agrees(ri, x)))
			return 1;
	}
	return 0;
}

int
agent_locked_to(STACK_OF(X509) *agents, const uint8_t *der, size_t len,
    const char *hashes, struct reason *w)
{
	const uint8_t *q = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &q, (long)len);
	int i, rc, n = 0;
	X509 *x;

	rc = hashes != NULL && cms != NULL && q == der + len &&
	    OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_enveloped;
	for (i = 0; rc && i < sk_X509_num(agents); i++) {
		x = sk_X509_value(agents, i);
		if (!agent_hashes_has(hashes, x))
			continue;
		rc = is_recipient(cms, x);
		n++;
	}
	rc = rc && strlen(hashes) + 1 == AGENT_HASH * (size_t)n &&
	    sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms)) == n;
	CMS_ContentInfo_free(cms);
	reason_clear();
	return rc ||
	    reason_set(w, "recipient",
		"the key is not encrypted to the agents in kra, or they are "
		"not those of the archive");
}

char *
agent_hashes_of(STACK_OF(X509) *agents, const uint8_t *der, size_t len)
{
	const uint8_t *q = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &q, (long)len);
	char *s = calloc((size_t)sk_X509_num(agents) * 41 + 1, 1), *p = s;
	uint8_t sha1[20];
	X509 *x;
	int i;

	if (s == NULL)
		heap_nomem();
	for (i = 0; cms != NULL && i < sk_X509_num(agents); i++) {
		x = sk_X509_value(agents, i);
		if (!is_recipient(cms, x) ||
		    !X509_digest(x, EVP_sha1(), sha1, NULL))
			continue;
		if (p > s)
			*p++ = ' ';
		p += strlen(encode_hex(p, sha1, sizeof(sha1)));
	}
	CMS_ContentInfo_free(cms);
	reason_clear();
	return s;
}

int
agent_decrypt(const struct trust_pair *p, const uint8_t *der, size_t len,
    uint8_t **out, size_t *n, struct reason *w)
{
	CMS_ContentInfo *cms;
	const uint8_t *q = der;
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data;
	long size;
	int rc = 0;

	cms = d2i_CMS_ContentInfo(NULL, &q, (long)len);
	if (bio == NULL || cms == NULL || q != der + len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_enveloped) {
		reason_set(w, "blob",
		    "not a CMS EnvelopedData (RFC 5652 section "
		    "6.1)");
		goto out;
	}
	if (!is_recipient(cms, p->cert)) {
		rc = -1;
		reason_set(w, "recipient",
		    "not encrypted to the KRA of -k: try "
		    "another KRA" HR_RECIPIENT);
		goto out;
	}
	if (CMS_decrypt(cms, p->key, p->cert, NULL, bio, CMS_BINARY) != 1 ||
	    (size = BIO_get_mem_data(bio, &data)) <= 0) {
		reason_set(w, "blob", "the archived key does not decrypt");
		goto out;
	}
	if ((*out = OPENSSL_secure_malloc((size_t)size)) == NULL) {
		reason_set(w, "blob", "out of secure memory");
		goto out;
	}
	memcpy(*out, data, (size_t)size);
	*n = (size_t)size;
	rc = 1;
out:
	CMS_ContentInfo_free(cms);
	BIO_free(bio);
	heap_scrub();
	reason_clear();
	return rc;
}
