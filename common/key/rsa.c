#include "key/rsa.h"

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <string.h>

#include "base/digest.h"
#include "base/heap.h"

/* clang-format off */

/*
 * RSAPrivateKey and RSAPublicKey of RFC 8017 appendix A.1, for BER: as OpenSSL
 * has them, so that no key is taken here that it refuses.
 */
typedef struct {
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
} static_ASN1_SEQUENCE_END(RSA_PRIVATE);

typedef struct {
	BIGNUM *n, *e;
} RSA_PUBLIC;

ASN1_SEQUENCE(RSA_PUBLIC) = {
	ASN1_SIMPLE(RSA_PUBLIC, n, BIGNUM),
	ASN1_SIMPLE(RSA_PUBLIC, e, BIGNUM)
} static_ASN1_SEQUENCE_END(RSA_PUBLIC);

/* clang-format on */

/* Modulus and public exponent.  Returns 1, or 0. */
static int
numbers(struct rsa_public *r, const uint8_t **p, const uint8_t *end)
{
	r->both.p = *p;
	if (!tlv_uint(&r->n, p, end) || !tlv_uint(&r->e, p, end))
		return 0;
	r->both.n = (size_t)(*p - r->both.p);
	return 1;
}

static int
public_parts(struct rsa_public *r, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	return tlv_into(&p, end, TLV_SEQ) && numbers(r, &p, end) && p == end;
}

int
rsa_public(struct rsa_public *r, const uint8_t *der, size_t n)
{
	r->copy = NULL;
	if (public_parts(r, der, n))
		return 1;
	r->copy = tlv_recode(der, n, ASN1_ITEM_rptr(RSA_PUBLIC), &n);
	if (r->copy != NULL && public_parts(r, r->copy, n))
		return 1;
	rsa_public_free(r);
	return 0;
}

void
rsa_public_free(struct rsa_public *r)
{
	OPENSSL_free(r->copy);
	r->copy = NULL;
}

/* Bits of a number. */
static size_t
bits(const struct tlv_part *v)
{
	return v->n == 0 ? 0 :
			   8 * (v->n - 1) + (size_t)BN_num_bits_word(v->p[0]);
}

int
rsa_public_bits(const struct rsa_public *r)
{
	return (int)bits(&r->n);
}

void
rsa_public_id(const struct rsa_public *r, uint8_t id[32])
{
	int n = (int)r->both.n, size = ASN1_object_size(1, n, V_ASN1_SEQUENCE);
	uint8_t *der = OPENSSL_malloc((size_t)size), *p = der;

	if (der == NULL)
		heap_nomem();
	ASN1_put_object(&p, 1, n, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(p, r->both.p, r->both.n);
	digest_sha256(id, der, (size_t)size);
	OPENSSL_free(der);
}

static int
private_parts(struct rsa_key *r, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	struct tlv_part version;

	return tlv_into(&p, end, TLV_SEQ) && tlv_uint(&version, &p, end) &&
	    version.n == 0 && numbers(&r->pub, &p, end) &&
	    tlv_uint(&r->d, &p, end) && tlv_uint(&r->p, &p, end) &&
	    tlv_uint(&r->q, &p, end) && tlv_uint(&r->dp, &p, end) &&
	    tlv_uint(&r->dq, &p, end) && tlv_uint(&r->qi, &p, end) &&
	    p == end && bits(&r->pub.n) <= RSA_BITS_MAX;
}

int
rsa_key(struct rsa_key *r, const uint8_t *der, size_t n)
{
	r->pub.copy = NULL;
	if (private_parts(r, der, n))
		return 1;
	r->pub.copy = tlv_recode(der, n, ASN1_ITEM_rptr(RSA_PRIVATE), &n);
	if (r->pub.copy != NULL && private_parts(r, r->pub.copy, n))
		return 1;
	rsa_public_free(&r->pub);
	return 0;
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

/* The arithmetic of rsa_key_whole(). */
static int
fits(const BIGNUM *n, const BIGNUM *e, const BIGNUM *d, const BIGNUM *p,
    const BIGNUM *q, const BIGNUM *dp, const BIGNUM *dq, const BIGNUM *qi,
    BN_CTX *bn)
{
	BIGNUM *t = BN_CTX_get(bn);

	return t != NULL && BN_cmp(p, n) < 0 && BN_cmp(q, n) < 0 &&
	    BN_is_odd(e) && !BN_is_one(e) && BN_is_odd(p) && BN_is_odd(q) &&
	    BN_num_bits(p) > 2 && BN_num_bits(q) > 2 && BN_cmp(dp, p) < 0 &&
	    BN_cmp(dq, q) < 0 && BN_cmp(qi, p) < 0 && BN_cmp(d, n) < 0 &&
	    BN_mul(t, p, q, bn) && BN_cmp(t, n) == 0 &&
	    inverse_of_order(d, e, p, bn) && inverse_of_order(d, e, q, bn) &&
	    inverse_of_order(dp, e, p, bn) && inverse_of_order(dq, e, q, bn) &&
	    BN_mod_mul(t, qi, q, p, bn) && BN_is_one(t);
}

int
rsa_key_whole(const struct rsa_key *r)
{
	const struct tlv_part *part[] = { &r->pub.n, &r->pub.e, &r->d, &r->p,
		&r->q, &r->dp, &r->dq, &r->qi };
	BN_CTX *bn = BN_CTX_new();
	BIGNUM *v[8];
	size_t i;
	int rc;

	if (bn == NULL)
		heap_nomem();
	BN_CTX_start(bn);
	for (i = 0; i < 8; i++)
		if ((v[i] = BN_CTX_get(bn)) == NULL ||
		    BN_bin2bn(part[i]->p, (int)part[i]->n, v[i]) == NULL)
			heap_nomem();
	rc = fits(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], bn);
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

/* A number of so many bytes, the least first.  Returns 1, or 0: it is longer. */
static int
put_le(uint8_t *dst, const struct tlv_part *v, size_t size)
{
	size_t i;

	if (v->n > size)
		return 0;
	for (i = 0; i < v->n; i++)
		dst[i] = v->p[v->n - 1 - i];
	memset(dst + i, 0, size - i);
	return 1;
}

/*
 * By hand, since OpenSSL writes one from an EVP_PKEY only, which costs more
 * than all of it.
 */
uint8_t *
rsa_key_blob(const struct rsa_key *r, size_t *len)
{
	const size_t size = bits(&r->pub.n), whole = (size + 7) / 8,
		     half = (size + 15) / 16;
	const struct {
		const struct tlv_part *v;
		size_t size;
	} part[] = { { &r->pub.e, 4 }, { &r->pub.n, whole }, { &r->p, half },
		{ &r->q, half }, { &r->dp, half }, { &r->dq, half },
		{ &r->qi, half }, { &r->d, whole } };
	uint8_t *out, *p;
	size_t i;

	*len = sizeof(blob_head) + 8 + 2 * whole + 5 * half;
	if ((out = OPENSSL_secure_malloc(*len)) == NULL)
		heap_nomem();
	memcpy(out, blob_head, sizeof(blob_head));
	p = out + sizeof(blob_head);
	put_le32(p, (unsigned long)size);
	p += 4;
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (!put_le(p, part[i].v, part[i].size)) {
			OPENSSL_secure_clear_free(out, *len);
			return NULL;
		}
		p += part[i].size;
	}
	return out;
}
