#include "key/private.h"

#include <openssl/asn1t.h>
#include <openssl/ec.h>
#include <string.h>

#include "base/heap.h"

#include "key/spki.h"

#define SMALL_KEY_MAX 1024 /* bytes of a PKCS#8 that is not RSA */

/* clang-format off */

typedef struct private_any {
	ASN1_INTEGER *version;
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *key;
	STACK_OF(X509_ATTRIBUTE) *attrs;
	ASN1_BIT_STRING *public;
} PRIVATE_ANY;

ASN1_SEQUENCE(PRIVATE_ANY) = {
	ASN1_SIMPLE(PRIVATE_ANY, version, ASN1_INTEGER),
	ASN1_SIMPLE(PRIVATE_ANY, alg, X509_ALGOR),
	ASN1_SIMPLE(PRIVATE_ANY, key, ASN1_OCTET_STRING),
	ASN1_IMP_SET_OF_OPT(PRIVATE_ANY, attrs, X509_ATTRIBUTE, 0),
	ASN1_IMP_OPT(PRIVATE_ANY, public, ASN1_BIT_STRING, 1)
} ASN1_SEQUENCE_END(PRIVATE_ANY);

/* clang-format on */

/* Returns the curve of an EC key if OpenSSL does not know it, else NULL. */
static const ASN1_OBJECT *
private_curve(const PKCS8_PRIV_KEY_INFO *info)
{
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;
	const void *value;
	EC_GROUP *g;
	int type;

	if (!PKCS8_pkey_get0(NULL, NULL, NULL, &alg, info))
		return NULL;
	X509_ALGOR_get0(&oid, &type, &value, alg);
	if (OBJ_obj2nid(oid) != NID_X9_62_id_ecPublicKey ||
	    type != V_ASN1_OBJECT)
		return NULL;
	g = EC_GROUP_new_by_curve_name(OBJ_obj2nid(value));
	EC_GROUP_free(g);
	reason_clear();
	return g == NULL ? value : NULL;
}

int
private_open(struct private *k, const uint8_t *p8, size_t n, struct reason *w)
{
	const ASN1_OBJECT *oid, *curve;
	const uint8_t *key;
	char name[80];
	int keylen;

	k->rsa = NULL;
	k->info = tlv_item(p8, n, ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO));
	if (k->info == NULL ||
	    !PKCS8_pkey_get0(&oid, &key, &keylen, NULL, k->info)) {
		reason_set(w, "key",
		    "not a PKCS#8 private key (RFC 5208 section 5)");
	} else if (spki_is_rsa(oid)) {
		if ((k->rsa = rsa_private_new(key, (size_t)keylen)) != NULL)
			return 1;
		reason_set(w, "key",
		    "not a two-prime RSA private key of at most %d bits (RFC "
		    "8017 appendix A.1.2)",
		    RSA_BITS_MAX);
	} else if ((curve = private_curve(k->info)) != NULL) {
		(void)OBJ_obj2txt(name, sizeof(name), curve, 0);
		reason_set(w, "unsupported",
		    "private key on the elliptic curve %s, which OpenSSL does "
		    "not have here",
		    name);
	} else if (spki_is_small(oid) && n <= SMALL_KEY_MAX) {
		return 1;
	} else {
		/* it may ask OpenSSL for days of arithmetic */
		(void)OBJ_obj2txt(name, sizeof(name), oid, 0);
		reason_set(w, "unsupported",
		    "private key of algorithm %s, which is not known here or "
		    "not for mail",
		    name);
	}
	private_close(k);
	return 0;
}

void
private_close(struct private *k)
{
	rsa_private_free(k->rsa);
	PKCS8_PRIV_KEY_INFO_free(k->info);
	reason_clear();
}

/* Returns 1 if both halves of the key work together. */
static int
evp_whole(EVP_PKEY *pk)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pk, NULL);
	int rc;

	rc = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

/* Gives the identity of a key that is not RSA.  Returns 1, or 0 with *w. */
static int
evp_id(const struct private *k, uint8_t id[32], struct reason *w)
{
	EVP_PKEY *pk = EVP_PKCS82PKEY(k->info);
	int whole, known = pk != NULL && spki_evp_id(pk, id);

	whole = known && evp_whole(pk);
	EVP_PKEY_free(pk);
	if (!known)
		return reason_ssl(w, "key", "cannot read the private key");
	return whole ||
	    reason_set(w, "key", "private key does not fit its public key");
}

int
private_whole(const struct private *k, uint8_t id[32], struct reason *w)
{
	struct rsa_public public;

	if (k->rsa == NULL)
		return evp_id(k, id, w);
	public.n = k->rsa->n;
	public.e = k->rsa->e;
	rsa_id(&public, id);
	return rsa_whole(k->rsa) ||
	    reason_set(w, "key",
		"private key is not whole (RFC 8017 section 3.2)");
}

int
private_id(const uint8_t *p8, size_t n, uint8_t id[32], struct reason *w)
{
	struct private k;
	int rc;

	if (!private_open(&k, p8, n, w))
		return 0;
	rc = private_whole(&k, id, w);
	private_close(&k);
	return rc;
}

uint8_t *
private_p8(const EVP_PKEY *pk, size_t *n)
{
	PKCS8_PRIV_KEY_INFO *info;
	uint8_t *out = NULL, *p;
	int len;

	if ((info = EVP_PKEY2PKCS8(pk)) == NULL)
		return NULL;
	len = i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
	if (len > 0 && (out = p = OPENSSL_secure_malloc((size_t)len)) != NULL) {
		(void)i2d_PKCS8_PRIV_KEY_INFO(info, &p);
		*n = (size_t)len;
	}
	PKCS8_PRIV_KEY_INFO_free(info);
	return out;
}

/* Computes numbers of an RSA key again.  Returns 1 if they did not fit. */
static int
private_mend_rsa(PRIVATE_ANY *any)
{
	struct rsa_private *r;
	uint8_t *der = NULL;
	size_t n;

	if (OBJ_obj2nid(any->alg->algorithm) != NID_rsaEncryption)
		return 0;
	r = rsa_private_new(ASN1_STRING_get0_data(any->key),
	    (size_t)ASN1_STRING_length(any->key));
	if (r != NULL && !rsa_whole(r) && rsa_mend(r))
		der = rsa_private_der(r, &n);
	rsa_private_free(r);
	if (der != NULL)
		ASN1_STRING_set0(any->key, der, (int)n);
	return der != NULL;
}

uint8_t *
private_mend(const uint8_t *der, size_t n, size_t *len, int *anew)
{
	PRIVATE_ANY *any = tlv_item(der, n, ASN1_ITEM_rptr(PRIVATE_ANY));
	uint8_t *out = NULL, *p;
	int size = 0;

	*anew = 0;
	if (any == NULL || ASN1_INTEGER_get(any->version) > 1)
		goto out;
	*anew = private_mend_rsa(any);
	if (!*anew && any->public == NULL)
		goto out;
	ASN1_BIT_STRING_free(any->public);
	any->public = NULL;
	if (!ASN1_INTEGER_set(any->version, 0))
		heap_nomem();
	size = ASN1_item_i2d((ASN1_VALUE *)any, NULL,
	    ASN1_ITEM_rptr(PRIVATE_ANY));
	if (size > 0 && (out = p = OPENSSL_secure_malloc((size_t)size)) != NULL)
		(void)ASN1_item_i2d((ASN1_VALUE *)any, &p,
		    ASN1_ITEM_rptr(PRIVATE_ANY));
out:
	ASN1_item_free((ASN1_VALUE *)any, ASN1_ITEM_rptr(PRIVATE_ANY));
	reason_clear();
	*len = (size_t)size;
	return out;
}

/*
 * Tells the kind of a traditional key from its outline, or 0: OpenSSL would
 * take PKCS#8 for one too, and might compute for days.
 */
static int
private_kind(const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	size_t numbers = 0;

	if (!tlv_into(&p, end, TLV_SEQ))
		return 0;
	while (tlv_step(&p, end, TLV_INT, 1))
		numbers++;
	if (numbers == 1 && tlv_step(&p, end, TLV_BYTES, 1))
		return EVP_PKEY_EC; /* RFC 5915 section 3 */
	if (p != end)
		return 0;
	/* RFC 8017 appendix A.1.2: the version, and eight; DSA has five */
	return numbers == 9 ? EVP_PKEY_RSA : numbers == 6 ? EVP_PKEY_DSA : 0;
}

uint8_t *
private_traditional(const uint8_t *der, size_t len, size_t *n)
{
	const uint8_t *p = der;
	int kind = private_kind(der, len);
	EVP_PKEY *pk = kind == 0 ? NULL :
				   d2i_PrivateKey(kind, NULL, &p, (long)len);
	uint8_t *out = NULL;

	if (pk != NULL && p == der + len)
		out = private_p8(pk, n);
	EVP_PKEY_free(pk);
	reason_clear();
	return out;
}
