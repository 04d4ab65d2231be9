#include "pkey.h"

#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "rsa_key.h"

#define SMALL_KEY_MAX 1024 /* bytes of a PKCS#8 that is not RSA */

/* clang-format off */

/* X509_PUBKEY looks for a decoder of the key, which costs more than all. */
typedef struct pkey_public PKEY_PUBLIC;

ASN1_SEQUENCE(PKEY_PUBLIC) = {
	ASN1_SIMPLE(PKEY_PUBLIC, alg, X509_ALGOR),
	ASN1_SIMPLE(PKEY_PUBLIC, key, ASN1_BIT_STRING)
} static_ASN1_SEQUENCE_END(PKEY_PUBLIC)

    /* clang-format on */

    /* RSA, also where the certificate restricts it to PSS signatures. */
    static int rsa_kind(const ASN1_OBJECT *oid)
{
	return OBJ_obj2nid(oid) == NID_rsaEncryption ||
	    OBJ_obj2nid(oid) == NID_rsassaPss;
}

/* Keys whose arithmetic is quick whatever they say. */
static int
small_kind(const ASN1_OBJECT *oid)
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

/*
 * Takes a PKCS#8 apart.  Returns 1 with *rsa set if it is an RSA key (caller
 * frees), 1 with *info set otherwise, 0 with *w if it does not parse.
 */
static int
open_p8(const uint8_t *p8, size_t n, struct rsa_key **rsa,
    PKCS8_PRIV_KEY_INFO **info, struct why *w)
{
	const ASN1_OBJECT *oid;
	const uint8_t *p = p8, *key;
	char name[80];
	int keylen;

	*rsa = NULL;
	*info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)n);
	if (*info == NULL || p != p8 + n ||
	    !PKCS8_pkey_get0(&oid, &key, &keylen, NULL, *info)) {
		PKCS8_PRIV_KEY_INFO_free(*info);
		*info = NULL;
		return why_set(w, "key",
		    "not a PKCS#8 private key "
		    "(RFC 5208 section 5)");
	}
	if (!rsa_kind(oid)) {
		/* others may ask OpenSSL for days of arithmetic */
		if (small_kind(oid) && n <= SMALL_KEY_MAX)
			return 1;
		(void)OBJ_obj2txt(name, sizeof(name), oid, 0);
		PKCS8_PRIV_KEY_INFO_free(*info);
		*info = NULL;
		return why_set(w, "unsupported",
		    "private key of algorithm %s, which is not known here or "
		    "not for mail",
		    name);
	}
	*rsa = rsa_key(key, (size_t)keylen);
	PKCS8_PRIV_KEY_INFO_free(*info);
	*info = NULL;
	if (*rsa == NULL)
		return why_set(w, "key",
		    "not a two-prime RSA private key of "
		    "at most %d bits (RFC 8017 appendix A.1.2)",
		    RSA_BITS_MAX);
	return 1;
}

/* SHA-256 of the SubjectPublicKeyInfo, points uncompressed. */
static int
evp_id(EVP_PKEY *pk, uint8_t id[32])
{
	uint8_t *der = NULL;
	int len, rc;

	/* fails for everything but EC, which is fine */
	(void)EVP_PKEY_set_utf8_string_param(pk,
	    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
	why_clear();
	len = i2d_PUBKEY(pk, &der);
	rc = len > 0 &&
	    EVP_Digest(der, (size_t)len, id, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return rc;
}

/* P-256 and the like for NIST curves, OpenSSL's name for others. */
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

struct pkey_public *
pkey_public(const uint8_t *spki, size_t n)
{
	return tlv_item(spki, n, ASN1_ITEM_rptr(PKEY_PUBLIC));
}

void
pkey_public_free(struct pkey_public *pub)
{
	ASN1_item_free((ASN1_VALUE *)pub, ASN1_ITEM_rptr(PKEY_PUBLIC));
}

int
pkey_public_id(struct pkey_public *pub, uint8_t id[32], char alg[32], int *bits)
{
	const ASN1_OBJECT *oid;
	const uint8_t *p;
	uint8_t *der = NULL;
	EVP_PKEY *pk;
	int len, rc;

	X509_ALGOR_get0(&oid, NULL, NULL, pub->alg);
	if (rsa_kind(oid)) {
		if (!rsa_public_id(ASN1_STRING_get0_data(pub->key),
			(size_t)ASN1_STRING_length(pub->key), id, bits))
			return 0;
		(void)snprintf(alg, 32,
		    OBJ_obj2nid(oid) == NID_rsassaPss ? "RSA-PSS-%d" : "RSA-%d",
		    *bits);
		return 1;
	}
	/* so that a newer OpenSSL makes the same records */
	if (!small_kind(oid))
		return 0;
	len = ASN1_item_i2d((ASN1_VALUE *)pub, &der,
	    ASN1_ITEM_rptr(PKEY_PUBLIC));
	if (len <= 0)
		return 0;
	p = der;
	pk = d2i_PUBKEY(NULL, &p, len);
	OPENSSL_free(der);
	rc = pk != NULL && evp_id(pk, id);
	if (rc) {
		name_alg(pk, alg);
		*bits = EVP_PKEY_get_bits(pk);
	}
	EVP_PKEY_free(pk);
	return rc;
}

/* The same for other kinds, by using the key: EC and Edwards are quick. */
static int
evp_whole(EVP_PKEY *pk)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pk, NULL);
	int rc;

	rc = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return rc;
}

static int
not_whole(struct why *w)
{
	return why_set(w, "key",
	    "private key is not whole (RFC 8017 section 3.2)");
}

/*
 * The identity of a key that is whole: an RSA key, or else that of info.
 * Returns 1, or 0 with *w.
 */
static int
identify(const struct rsa_key *rsa, const PKCS8_PRIV_KEY_INFO *info,
    uint8_t id[32], struct why *w)
{
	EVP_PKEY *pk = NULL;
	int whole, known;

	if (rsa != NULL) {
		known = rsa_key_id(rsa, id);
		whole = known && rsa_key_whole(rsa);
	} else {
		known = (pk = EVP_PKCS82PKEY(info)) != NULL && evp_id(pk, id);
		whole = known && evp_whole(pk);
	}
	EVP_PKEY_free(pk);
	if (!known)
		return why_ssl(w, "key", "cannot read the private key");
	if (whole)
		return 1;
	return rsa != NULL ?
	    not_whole(w) :
	    why_set(w, "key", "private key does not fit its public key");
}

int
pkey_id(const uint8_t *p8, size_t n, uint8_t id[32], struct why *w)
{
	PKCS8_PRIV_KEY_INFO *info;
	struct rsa_key *rsa;
	int rc;

	if (!open_p8(p8, n, &rsa, &info, w))
		return 0;
	rc = identify(rsa, info, id, w);
	rsa_key_free(rsa);
	PKCS8_PRIV_KEY_INFO_free(info);
	return rc;
}

uint8_t *
pkey_p8(const EVP_PKEY *pk, size_t *n)
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

uint8_t *
pkey_traditional(const uint8_t *der, size_t len, size_t *n)
{
	static const int kinds[] = { EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_DSA };
	const uint8_t *p;
	EVP_PKEY *pk;
	uint8_t *out = NULL;
	size_t i;

	for (i = 0; i < 3 && out == NULL; i++) {
		p = der;
		pk = d2i_PrivateKey(kinds[i], NULL, &p, (long)len);
		if (pk != NULL && p == der + len)
			out = pkey_p8(pk, n);
		EVP_PKEY_free(pk);
	}
	why_clear();
	return out;
}

/* Steps into a TLV if nothing follows it. */
static int
into_last(const uint8_t **p, const uint8_t *end, int tag, int class)
{
	const uint8_t *q = *p;

	return tlv_step(&q, end, tag, class, 1) && q == end &&
	    tlv_step(p, end, tag, class, 0);
}

/*
 * Steps into the RSAPublicKey of a SPKI, to its algorithm on the way: nobody
 * has parsed it.
 */
static int
public_half(const struct tlv_part *spki, struct tlv_part *alg,
    struct tlv_part *key)
{
	const uint8_t *p = spki->p, *end = p + spki->n;

	if (!into_last(&p, end, TLV_SEQ) || !tlv_part(alg, &p, end, TLV_SEQ) ||
	    !into_last(&p, end, TLV_BITS) || p == end || *p++ != 0 ||
	    !into_last(&p, end, TLV_SEQ))
		return 0;
	key->p = p;
	key->n = (size_t)(end - p);
	return 1;
}

/*
 * The same of the RSAPrivateKey in a PKCS#8 that parsed: modulus and public
 * exponent.
 */
static int
private_half(const uint8_t *p8, size_t n, struct tlv_part *alg,
    struct tlv_part *key)
{
	const uint8_t *p = p8, *end = p8 + n;

	if (!tlv_step(&p, end, TLV_SEQ, 0) || !tlv_step(&p, end, TLV_INT, 1) ||
	    !tlv_part(alg, &p, end, TLV_SEQ) ||
	    !tlv_step(&p, end, TLV_BYTES, 0) ||
	    !tlv_step(&p, end, TLV_SEQ, 0) || !tlv_step(&p, end, TLV_INT, 1))
		return 0;
	key->p = p;
	if (!tlv_step(&p, end, TLV_INT, 1) || !tlv_step(&p, end, TLV_INT, 1))
		return 0;
	key->n = (size_t)(p - key->p);
	return 1;
}

static int
same(const struct tlv_part *a, const struct tlv_part *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/*
 * Returns 1 if an RSA key has the public half of the certificate, byte for byte.
 * If not, the same may still be written in another way.
 */
static int
same_bytes(const uint8_t *p8, size_t n, const struct cert *c)
{
	struct tlv_part alg[2], key[2];

	return private_half(p8, n, &alg[0], &key[0]) &&
	    public_half(&c->spki_part, &alg[1], &key[1]) &&
	    same(&alg[0], &alg[1]) && same(&key[0], &key[1]);
}

/* Returns 1, or 0 with *w: the key is not the one of the certificate. */
static int
belongs(const uint8_t id[32], const struct cert *c, struct why *w)
{
	struct pkey_public *pub = pkey_public(c->spki_part.p, c->spki_part.n);
	uint8_t of[32];
	char alg[32];
	int bits, rc;

	rc = pub != NULL && pkey_public_id(pub, of, alg, &bits) &&
	    memcmp(id, of, sizeof(of)) == 0;
	pkey_public_free(pub);
	why_clear();
	return rc ||
	    why_set(w, "key", "private key does not belong to the certificate");
}

int
pkey_prove(const uint8_t *p8, size_t n, const struct cert *c, uint8_t **blob,
    size_t *len, struct why *w)
{
	PKCS8_PRIV_KEY_INFO *info;
	struct rsa_key *rsa;
	uint8_t id[32];
	int rc;

	if (!open_p8(p8, n, &rsa, &info, w))
		return 0;
	if (rsa != NULL && same_bytes(p8, n, c))
		rc = rsa_key_whole(rsa) || not_whole(w);
	else
		rc = identify(rsa, info, id, w) && belongs(id, c, w);
	if (blob != NULL)
		*blob = rc && rsa != NULL ? rsa_key_blob(rsa, len) : NULL;
	rsa_key_free(rsa);
	PKCS8_PRIV_KEY_INFO_free(info);
	return rc;
}

uint8_t *
pkey_from_msblob(const uint8_t *blob, size_t len, size_t *n)
{
	const uint8_t *p = blob;
	EVP_PKEY *pk;
	uint8_t *out = NULL;
	size_t bits;

	/* PRIVATEKEYBLOB, version 2; b2i minds neither this nor what follows */
	if (len < 20 || blob[0] != 0x07 || blob[1] != 0x02)
		return NULL;
	bits = blob[12] | (size_t)blob[13] << 8;
	if (len != 20 + (bits + 7) / 8 * 2 + (bits + 15) / 16 * 5)
		return NULL;
	if ((pk = b2i_PrivateKey(&p, (long)len)) != NULL)
		out = pkey_p8(pk, n);
	EVP_PKEY_free(pk);
	why_clear();
	return out;
}
