#include "key/pkey.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/digest.h"
#include "key/rsa.h"

#define SMALL_KEY_MAX 1024 /* bytes of a PKCS#8 that is not RSA */

/* RSA, also where the certificate restricts it to PSS signatures. */
static int
rsa_kind(const ASN1_OBJECT *oid)
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

/* A PKCS#8 taken apart. */
struct opened {
	int is_rsa;
	struct rsa_key rsa; /* if it is */
	struct tlv_part alg; /* and how it stands in DER; n is 0 in BER */
	PKCS8_PRIV_KEY_INFO *info; /* if it is not, or not in DER */
};

static void
opened_free(struct opened *o)
{
	if (o->is_rsa)
		rsa_public_free(&o->rsa.pub);
	PKCS8_PRIV_KEY_INFO_free(o->info);
}

/* Is this RSA? */
static int
rsa_alg(const struct tlv_part *alg)
{
	X509_ALGOR *a = tlv_item(alg->p, alg->n, ASN1_ITEM_rptr(X509_ALGOR));
	int rc = a != NULL && rsa_kind(a->algorithm);

	X509_ALGOR_free(a);
	return rc;
}

/*
 * The key of most files, which needs no copies: RSA, in DER, without attributes.
 * Returns 1, or 0: it is another.
 */
static int
open_plain(struct opened *o, const uint8_t *p8, size_t n)
{
	const uint8_t *p = p8, *end = p8 + n;
	struct tlv_part version;

	o->is_rsa = tlv_into(&p, end, TLV_SEQ) && tlv_uint(&version, &p, end) &&
	    tlv_part(&o->alg, &p, end, TLV_SEQ) &&
	    tlv_into(&p, end, TLV_BYTES) && rsa_alg(&o->alg) &&
	    rsa_key(&o->rsa, p, (size_t)(end - p));
	reason_clear();
	return o->is_rsa;
}

/* Any other.  Returns 1, or 0 with *w. */
static int
open_any(struct opened *o, const uint8_t *p8, size_t n, struct reason *w)
{
	const ASN1_OBJECT *oid;
	const uint8_t *p = p8, *key;
	char name[80];
	int keylen;

	o->alg.n = 0;
	o->info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)n);
	if (o->info == NULL || p != p8 + n ||
	    !PKCS8_pkey_get0(&oid, &key, &keylen, NULL, o->info))
		return reason_set(w, "key",
		    "not a PKCS#8 private key "
		    "(RFC 5208 section 5)");
	if (rsa_kind(oid)) {
		o->is_rsa = rsa_key(&o->rsa, key, (size_t)keylen);
		return o->is_rsa ||
		    reason_set(w, "key",
			"not a two-prime RSA private key of "
			"at most %d bits (RFC 8017 appendix A.1.2)",
			RSA_BITS_MAX);
	}
	/* others may ask OpenSSL for days of arithmetic */
	if (small_kind(oid) && n <= SMALL_KEY_MAX)
		return 1;
	(void)OBJ_obj2txt(name, sizeof(name), oid, 0);
	return reason_set(w, "unsupported",
	    "private key of algorithm %s, which is not known here or "
	    "not for mail",
	    name);
}

/* Returns 1, free it, or 0 with *w; the PKCS#8 must outlive it. */
static int
open_p8(struct opened *o, const uint8_t *p8, size_t n, struct reason *w)
{
	memset(o, 0, sizeof(*o));
	if (open_plain(o, p8, n) || open_any(o, p8, n, w))
		return 1;
	opened_free(o);
	return 0;
}

/* SHA-256 of the SubjectPublicKeyInfo, points uncompressed. */
static int
evp_id(EVP_PKEY *pk, uint8_t id[32])
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

/* Returns 1, or 0: it is none, or its key has more bits unused. */
static int
split_public(struct pkey_public *pub, const uint8_t *p, size_t n, int unused)
{
	const uint8_t *end = p + n;

	if (!tlv_into(&p, end, TLV_SEQ) ||
	    !tlv_part(&pub->alg_part, &p, end, TLV_SEQ) ||
	    !tlv_into(&p, end, TLV_BITS) || p == end || *p++ > unused)
		return 0;
	pub->key = p;
	pub->keylen = (size_t)(end - p);
	return 1;
}

int
pkey_public(struct pkey_public *pub, const struct tlv_part *spki)
{
	size_t n;

	pub->spki = *spki;
	pub->alg = NULL;
	pub->copy = NULL;
	if (!split_public(pub, spki->p, spki->n, 0)) {
		/* bits that are unused are zero to OpenSSL, and in the copy */
		pub->copy = tlv_recode(spki->p, spki->n,
		    ASN1_ITEM_rptr(X509_PUBKEY), &n);
		if (pub->copy == NULL || !split_public(pub, pub->copy, n, 7))
			return 0;
	}
	pub->alg = tlv_item(pub->alg_part.p, pub->alg_part.n,
	    ASN1_ITEM_rptr(X509_ALGOR));
	return pub->alg != NULL;
}

void
pkey_public_free(struct pkey_public *pub)
{
	X509_ALGOR_free(pub->alg);
	OPENSSL_free(pub->copy);
}

/* The same of an RSA key. */
static int
rsa_public_is(const struct pkey_public *pub, uint8_t *id, char alg[32],
    int *bits)
{
	struct rsa_public rsa;

	if (!rsa_public(&rsa, pub->key, pub->keylen))
		return 0;
	if (id != NULL)
		rsa_public_id(&rsa, id);
	*bits = rsa_public_bits(&rsa);
	rsa_public_free(&rsa);
	(void)snprintf(alg, 32,
	    OBJ_obj2nid(pub->alg->algorithm) == NID_rsassaPss ? "RSA-PSS-%d" :
								"RSA-%d",
	    *bits);
	return 1;
}

int
pkey_public_id(const struct pkey_public *pub, uint8_t *id, char alg[32],
    int *bits)
{
	const uint8_t *p = pub->spki.p;
	uint8_t of[32];
	EVP_PKEY *pk;
	int rc;

	if (rsa_kind(pub->alg->algorithm))
		return rsa_public_is(pub, id, alg, bits);
	/* so that a newer OpenSSL makes the same records */
	if (!small_kind(pub->alg->algorithm))
		return 0;
	pk = d2i_PUBKEY(NULL, &p, (long)pub->spki.n);
	rc = pk != NULL && evp_id(pk, of);
	if (rc && id != NULL)
		memcpy(id, of, sizeof(of));
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
not_whole(struct reason *w)
{
	return reason_set(w, "key",
	    "private key is not whole (RFC 8017 section 3.2)");
}

/* The identity of a key that is whole.  Returns 1, or 0 with *w. */
static int
identify(const struct opened *o, uint8_t id[32], struct reason *w)
{
	EVP_PKEY *pk;
	int whole, known;

	if (o->is_rsa) {
		rsa_public_id(&o->rsa.pub, id);
		return rsa_key_whole(&o->rsa) || not_whole(w);
	}
	known = (pk = EVP_PKCS82PKEY(o->info)) != NULL && evp_id(pk, id);
	whole = known && evp_whole(pk);
	EVP_PKEY_free(pk);
	if (!known)
		return reason_ssl(w, "key", "cannot read the private key");
	return whole ||
	    reason_set(w, "key", "private key does not fit its public key");
}

int
pkey_id(const uint8_t *p8, size_t n, uint8_t id[32], struct reason *w)
{
	struct opened o;
	int rc;

	if (!open_p8(&o, p8, n, w))
		return 0;
	rc = identify(&o, id, w);
	opened_free(&o);
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
	reason_clear();
	return out;
}

/*
 * Returns 1 if an RSA key has the public half of the certificate, byte for byte.
 * If not, the same may still be written in another way.
 */
static int
same_bytes(const struct opened *o, const struct pkey_public *pub)
{
	struct rsa_public rsa;
	int rc;

	if (!o->is_rsa || !tlv_same(&o->alg, &pub->alg_part) ||
	    !rsa_public(&rsa, pub->key, pub->keylen))
		return 0;
	rc = tlv_same(&o->rsa.pub.both, &rsa.both);
	rsa_public_free(&rsa);
	return rc;
}

/* Returns 1 if the key is whole, and that of the certificate, or 0 with *w. */
static int
prove(const struct opened *o, const struct cert *c, struct reason *w)
{
	struct pkey_public pub;
	uint8_t id[32], of[32];
	char alg[32];
	int bits, rc, parsed = pkey_public(&pub, &c->spki_part);

	if (parsed && same_bytes(o, &pub))
		rc = rsa_key_whole(&o->rsa) || not_whole(w);
	else if ((rc = identify(o, id, w))) {
		rc = parsed && pkey_public_id(&pub, of, alg, &bits) &&
		    memcmp(id, of, sizeof(of)) == 0;
		reason_clear();
		if (!rc)
			reason_set(w, "key",
			    "private key does not belong to the certificate");
	}
	pkey_public_free(&pub);
	return rc;
}

int
pkey_prove(const uint8_t *p8, size_t n, const struct cert *c, uint8_t **blob,
    size_t *len, struct reason *w)
{
	struct opened o;
	int rc;

	if (!open_p8(&o, p8, n, w))
		return 0;
	rc = prove(&o, c, w);
	if (blob != NULL)
		*blob = rc && o.is_rsa ? rsa_key_blob(&o.rsa, len) : NULL;
	opened_free(&o);
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
	reason_clear();
	return out;
}
