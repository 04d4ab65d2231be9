#include "rsa_key.h"

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "tlv.h"
#include "tool.h"

/* clang-format off */

/*
 * RSAPrivateKey and RSAPublicKey of RFC 8017 appendix A.1, as templates: the
 * deprecated d2i_RSAPrivateKey() is the only other way past the decoders,
 * which cost forty times as much (PEERS.md 3b).
 */
typedef struct rsa_key {
	int32_t version;
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qi;
} RSA_PRIVATE;

ASN1_SEQUENCE(RSA_PRIVATE) = {
	ASN1_EMBED(RSA_PRIVATE, version, INT32),
	ASN1_SIMPLE(RSA_PRIVATE, n, BIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, e, BIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, d, CBIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, p, CBIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, q, CBIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, dp, CBIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, dq, CBIGNUM),
	ASN1_SIMPLE(RSA_PRIVATE, qi, CBIGNUM)
} static_ASN1_SEQUENCE_END(RSA_PRIVATE)

typedef struct rsa_public {
	BIGNUM *n, *e;
} RSA_PUBLIC;

ASN1_SEQUENCE(RSA_PUBLIC) = {
	ASN1_SIMPLE(RSA_PUBLIC, n, BIGNUM),
	ASN1_SIMPLE(RSA_PUBLIC, e, BIGNUM)
} static_ASN1_SEQUENCE_END(RSA_PUBLIC)

    /* clang-format on */

    void rsa_key_free(struct rsa_key * r)
{
	ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(RSA_PRIVATE));
}

struct rsa_key *
rsa_key(const uint8_t *der, size_t n)
{
	struct rsa_key *r = tlv_item(der, n, ASN1_ITEM_rptr(RSA_PRIVATE));

	if (r == NULL || (r->version == 0 && BN_num_bits(r->n) <= RSA_BITS_MAX))
		return r;
	rsa_key_free(r);
	return NULL;
}

/* SHA-256 of RSAPublicKey DER. */
static int
rsa_id(BIGNUM *n, BIGNUM *e, uint8_t id[32])
{
	RSA_PUBLIC pub = { n, e };
	uint8_t *der = NULL;
	int len, rc;

	len = ASN1_item_i2d((ASN1_VALUE *)&pub, &der,
	    ASN1_ITEM_rptr(RSA_PUBLIC));
	rc = len > 0 &&
	    EVP_Digest(der, (size_t)len, id, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	return rc;
}

int
rsa_key_id(const struct rsa_key *r, uint8_t id[32])
{
	return rsa_id(r->n, r->e, id);
}

int
rsa_public_id(const uint8_t *der, size_t n, uint8_t id[32], int *bits)
{
	RSA_PUBLIC *r = tlv_item(der, n, ASN1_ITEM_rptr(RSA_PUBLIC));
	int rc = r != NULL && rsa_id(r->n, r->e, id);

	if (rc)
		*bits = BN_num_bits(r->n);
	ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(RSA_PUBLIC));
	return rc;
}

/* Returns 1 if a * b is 1 modulo m - 1, for exponents; m > 2. */
static int
inverse_of_order(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *bn)
{
	BIGNUM *m1, *t;
	int rc;

	BN_CTX_start(bn);
	m1 = BN_CTX_get(bn);
	t = BN_CTX_get(bn);
	rc = t != NULL && BN_copy(m1, m) != NULL && BN_sub_word(m1, 1) &&
	    BN_mod_mul(t, a, b, m1, bn) && BN_is_one(t);
	BN_CTX_end(bn);
	return rc;
}

int
rsa_key_whole(const struct rsa_key *r)
{
	BN_CTX *bn = BN_CTX_secure_new();
	BIGNUM *t;
	int rc;

	if (bn == NULL)
		return 0;
	BN_CTX_start(bn);
	t = BN_CTX_get(bn);
	rc = t != NULL && BN_cmp(r->p, r->n) < 0 && BN_cmp(r->q, r->n) < 0 &&
	    BN_is_odd(r->e) && !BN_is_one(r->e) && BN_is_odd(r->p) &&
	    BN_is_odd(r->q) && BN_num_bits(r->p) > 2 && BN_num_bits(r->q) > 2 &&
	    BN_cmp(r->dp, r->p) < 0 && BN_cmp(r->dq, r->q) < 0 &&
	    BN_cmp(r->qi, r->p) < 0 && BN_cmp(r->d, r->n) < 0 &&
	    BN_mul(t, r->p, r->q, bn) && BN_cmp(t, r->n) == 0 &&
	    inverse_of_order(r->d, r->e, r->p, bn) &&
	    inverse_of_order(r->d, r->e, r->q, bn) &&
	    inverse_of_order(r->dp, r->e, r->p, bn) &&
	    inverse_of_order(r->dq, r->e, r->q, bn) &&
	    BN_mod_mul(t, r->qi, r->q, r->p, bn) && BN_is_one(t);
	BN_CTX_end(bn);
	BN_CTX_free(bn);
	return rc;
}

/* [MS-WCCE] 2.2.2.9.1: PRIVATEKEYBLOB of AT_KEYEXCHANGE, RSA2. */
static const uint8_t blob_head[12] = { 0x07, 0x02, 0, 0, 0, 0xa4, 0, 0, 'R',
	'S', 'A', '2' };

static void
put_le32(uint8_t *dst, unsigned long v)
{
	int i;

	for (i = 0; i < 4; i++, v >>= 8)
		dst[i] = (uint8_t)v;
}

/*
 * By hand, since OpenSSL writes one from an EVP_PKEY only, which costs more
 * than all of it.  Returns 1 and *n bytes, or 0: this key has none.
 */
static int
put_blob(uint8_t *dst, size_t *n, const struct rsa_key *r)
{
	const int bits = BN_num_bits(r->n), whole = (bits + 7) / 8,
		  half = (bits + 15) / 16;
	const struct {
		const BIGNUM *v;
		int size;
	} part[] = { { r->n, whole }, { r->p, half }, { r->q, half },
		{ r->dp, half }, { r->dq, half }, { r->qi, half },
		{ r->d, whole } };
	uint8_t *p = dst + sizeof(blob_head) + 8;
	size_t i;

	if (BN_num_bits(r->e) > 32)
		return 0;
	memcpy(dst, blob_head, sizeof(blob_head));
	put_le32(dst + sizeof(blob_head), (unsigned long)bits);
	put_le32(dst + sizeof(blob_head) + 4, BN_get_word(r->e));
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (BN_bn2lebinpad(part[i].v, p, part[i].size) == -1)
			return 0;
		p += part[i].size;
	}
	*n = (size_t)(p - dst);
	return 1;
}

uint8_t *
rsa_key_blob(const struct rsa_key *r, size_t *len)
{
	/* twice the modulus and five times half of it */
	uint8_t buf[20 + RSA_BITS_MAX / 16 * 9], *out;

	if (!put_blob(buf, len, r)) {
		/* some of it may be there */
		OPENSSL_cleanse(buf, sizeof(buf));
		return NULL;
	}
	if ((out = OPENSSL_secure_malloc(*len)) == NULL)
		tool_nomem();
	memcpy(out, buf, *len);
	OPENSSL_cleanse(buf, *len);
	return out;
}
