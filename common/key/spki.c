#include "key/spki.h"

#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdio.h>

#include "base/digest.h"
#include "base/reason.h"
#include "key/rsa.h"

/* clang-format off */

typedef struct spki SPKI;

ASN1_SEQUENCE(SPKI) = {
	ASN1_SIMPLE(SPKI, alg, X509_ALGOR),
	ASN1_SIMPLE(SPKI, key, ASN1_BIT_STRING)
} static_ASN1_SEQUENCE_END(SPKI);

/* clang-format on */

struct spki *
spki_new(const struct tlv_part *der)
{
	return tlv_item(der->p, der->n, ASN1_ITEM_rptr(SPKI));
}

void
spki_free(struct spki *s)
{
	ASN1_item_free((ASN1_VALUE *)s, ASN1_ITEM_rptr(SPKI));
}

int
spki_is_rsa(const ASN1_OBJECT *oid)
{
	return OBJ_obj2nid(oid) == NID_rsaEncryption ||
	    OBJ_obj2nid(oid) == NID_rsassaPss;
}

int
spki_is_small(const ASN1_OBJECT *oid)
{
	switch (OBJ_obj2nid(oid)) {
	case NID_X9_62_id_ecPublicKey:
	case NID_X25519:
	case NID_X448:
	case NID_ED25519:
	case NID_ED448:
	case NID_dsa:
		return 1;
	default:
		return 0;
	}
}

int
spki_evp_id(EVP_PKEY *pk, uint8_t id[32])
{
	uint8_t *der = NULL;
	int len;

	/* fails for everything but EC, which is fine */
	(void)EVP_PKEY_set_utf8_string_param(pk,
	    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	reason_clear();
	if ((len = i2d_PUBKEY(pk, &der)) > 0)
		digest_sha256(id, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0;
}

/* Names NIST curves P-256 and the like, others as OpenSSL does. */
static void
name_alg(EVP_PKEY *pk, char alg[32])
{
	const char *nist, *type = EVP_PKEY_get0_type_name(pk);
	char curve[64];

	if (EVP_PKEY_get_group_name(pk, curve, sizeof(curve), NULL) &&
	    EVP_PKEY_get_base_id(pk) == EVP_PKEY_EC) {
		nist = EC_curve_nid2nist(OBJ_sn2nid(curve));
		(void)snprintf(alg, 32, "%.31s", nist != NULL ? nist : curve);
	} else if (EVP_PKEY_get_base_id(pk) == EVP_PKEY_ED25519)
		(void)snprintf(alg, 32, "Ed25519");
	else if (EVP_PKEY_get_base_id(pk) == EVP_PKEY_ED448)
		(void)snprintf(alg, 32, "Ed448");
	else if (EVP_PKEY_get_base_id(pk) == EVP_PKEY_X25519 ||
	    EVP_PKEY_get_base_id(pk) == EVP_PKEY_X448)
		(void)snprintf(alg, 32, "%.31s", type);
	else
		(void)snprintf(alg, 32, "%.20s-%d", type,
		    EVP_PKEY_get_bits(pk));
}

/* Reads an RSAPublicKey.  Returns 1, or 0 if it is none. */
static int
rsa_of(const struct spki *s, uint8_t *id, char alg[32], int *bits)
{
	struct rsa_public *rsa = rsa_public_new(ASN1_STRING_get0_data(s->key),
	    (size_t)ASN1_STRING_length(s->key));

	if (rsa == NULL)
		return 0;
	if (id != NULL)
		rsa_id(rsa, id);
	*bits = BN_num_bits(rsa->n);
	rsa_public_free(rsa);
	(void)snprintf(alg, 32,
	    OBJ_obj2nid(s->alg->algorithm) == NID_rsassaPss ? "RSA-PSS-%d" :
							      "RSA-%d",
	    *bits);
	return 1;
}

/* Returns an OpenSSL key, for the caller to free, or NULL on failure. */
static EVP_PKEY *
evp_of(const struct spki *s)
{
	uint8_t *der = NULL;
	const uint8_t *p;
	int n = ASN1_item_i2d((const ASN1_VALUE *)s, &der,
	    ASN1_ITEM_rptr(SPKI));
	EVP_PKEY *pk;

	p = der;
	pk = n <= 0 ? NULL : d2i_PUBKEY(NULL, &p, n);
	OPENSSL_free(der);
	return pk;
}

int
spki_id(const struct spki *s, uint8_t *id, char alg[32], int *bits)
{
	uint8_t of[32];
	EVP_PKEY *pk;
	int rc;

	/* an encryption certificate may say so (RFC 4055 section 1.2) */
	if (spki_is_rsa(s->alg->algorithm) ||
	    OBJ_obj2nid(s->alg->algorithm) == NID_rsaesOaep)
		return rsa_of(s, id, alg, bits);
	/* a newer OpenSSL that knows more must make the same records */
	if (!spki_is_small(s->alg->algorithm))
		return 0;
	pk = evp_of(s);
	rc = pk != NULL && spki_evp_id(pk, id != NULL ? id : of);
	if (rc) {
		name_alg(pk, alg);
		*bits = EVP_PKEY_get_bits(pk);
	}
	EVP_PKEY_free(pk);
	return rc;
}
