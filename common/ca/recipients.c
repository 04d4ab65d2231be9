#include "ca/recipients.h"

#include <openssl/cms.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/reason.h"

/* Adds a line with the name, or the key identifier if there is no name. */
static void
put(BIO *bio, X509_NAME *issuer, ASN1_INTEGER *serial, ASN1_OCTET_STRING *id)
{
	BIGNUM *bn = serial == NULL ? NULL : ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = bn == NULL ? NULL : BN_bn2hex(bn), *s;
	int i;

	if (BIO_pending(bio) > 0)
		(void)BIO_puts(bio, "\n");
	for (s = hex; s != NULL && *s != '\0'; s++)
		if (*s >= 'A')
			*s += 'a' - 'A';
	if (hex != NULL && issuer != NULL) {
		(void)BIO_printf(bio, "%s ", hex);
		(void)X509_NAME_print_ex(bio, issuer, 0,
		    XN_FLAG_RFC2253 & ~(unsigned)ASN1_STRFLGS_ESC_MSB);
	} else {
		(void)BIO_puts(bio, id == NULL ? "unknown" : "key ");
		for (i = 0; id != NULL && i < ASN1_STRING_length(id); i++)
			(void)BIO_printf(bio, "%02x",
			    ASN1_STRING_get0_data(id)[i]);
	}
	OPENSSL_free(hex);
	BN_free(bn);
}

static int
is_one(STACK_OF(X509) *agents, CMS_RecipientInfo *ri,
    CMS_RecipientEncryptedKey *key)
{
	X509 *x;
	int i;

	for (i = 0; i < sk_X509_num(agents); i++) {
		x = sk_X509_value(agents, i);
		if ((key != NULL ? CMS_RecipientEncryptedKey_cert_cmp(key, x) :
				   CMS_RecipientInfo_ktri_cert_cmp(ri, x)) == 0)
			return 1;
	}
	return 0;
}

/* Adds the line of a recipient, or one for each key of an agreement. */
static void
recipient(BIO *bio, CMS_RecipientInfo *ri, STACK_OF(X509) *agents)
{
	STACK_OF(CMS_RecipientEncryptedKey) *keys = NULL;
	CMS_RecipientEncryptedKey *key;
	ASN1_INTEGER *serial = NULL;
	ASN1_OCTET_STRING *id = NULL;
	X509_NAME *issuer = NULL;
	int i;

	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE)
		keys = CMS_RecipientInfo_kari_get0_reks(ri);
	for (i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++) {
		key = sk_CMS_RecipientEncryptedKey_value(keys, i);
		(void)CMS_RecipientEncryptedKey_get0_id(key, &id, NULL, NULL,
		    &issuer, &serial);
		if (!is_one(agents, ri, key))
			put(bio, issuer, serial, id);
	}
	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_TRANS &&
	    !is_one(agents, ri, NULL)) {
		(void)CMS_RecipientInfo_ktri_get0_signer_id(ri, &id, &issuer,
		    &serial);
		put(bio, issuer, serial, id);
	}
}

char *
recipients_of(const uint8_t *der, size_t n, STACK_OF(X509) *agents)
{
	const uint8_t *q = der;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &q, (long)n);
	STACK_OF(CMS_RecipientInfo) *all;
	BIO *bio = BIO_new(BIO_s_mem());
	char *s, *text = NULL;
	long len;
	int i;

	if (bio == NULL)
		heap_nomem();
	if (cms != NULL && q == der + n &&
	    OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_enveloped) {
		all = CMS_get0_RecipientInfos(cms);
		for (i = 0; i < sk_CMS_RecipientInfo_num(all); i++)
			recipient(bio, sk_CMS_RecipientInfo_value(all, i),
			    agents);
		len = BIO_get_mem_data(bio, &s);
		if ((text = strndup(len > 0 ? s : "", (size_t)len)) == NULL)
			heap_nomem();
	}
	BIO_free(bio);
	CMS_ContentInfo_free(cms);
	reason_clear();
	return text;
}
