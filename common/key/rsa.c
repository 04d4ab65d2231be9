#include "key/rsa.h"

#include <openssl/asn1t.h>
#include <openssl/crypto.h>

#include "base/digest.h"
#include "base/heap.h"
#include "key/tlv.h"

/* clang-format off */

/* RSAPrivateKey and RSAPublicKey of RFC 8017 appendix A.1. */
typedef struct rsa_private RSA_PRIVATE;

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

typedef struct rsa_public RSA_PUBLIC;

ASN1_SEQUENCE(RSA_PUBLIC) = {
	ASN1_SIMPLE(RSA_PUBLIC, n, BIGNUM),
	ASN1_SIMPLE(RSA_PUBLIC, e, BIGNUM)
} static_ASN1_SEQUENCE_END(RSA_PUBLIC);

/* clang-format on */

struct rsa_public *
rsa_public_new(const uint8_t *der, size_t n)
{
	return tlv_item(der, n, ASN1_ITEM_rptr(RSA_PUBLIC));
}

void
rsa_public_free(struct rsa_public *r)
{
	ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(RSA_PUBLIC));
}

void
rsa_id(const struct rsa_public *r, uint8_t id[32])
{
	uint8_t *der = NULL;
	int n = ASN1_item_i2d((const ASN1_VALUE *)r, &der,
	    ASN1_ITEM_rptr(RSA_PUBLIC));

	if (n <= 0)
		heap_nomem();
	digest_sha256(id, der, (size_t)n);
	OPENSSL_free(der);
}

struct rsa_private *
rsa_private_new(const uint8_t *der, size_t n)
{
	struct rsa_private *r = tlv_item(der, n, ASN1_ITEM_rptr(RSA_PRIVATE));

	if (r != NULL && r->version == 0 && BN_num_bits(r->n) <= RSA_BITS_MAX)
		return r;
	rsa_private_free(r);
	return NULL;
}

void
rsa_private_free(struct rsa_private *r)
{
	ASN1_item_free((ASN1_VALUE *)r, ASN1_ITEM_rptr(RSA_PRIVATE));
}

uint8_t *
rsa_private_der(const struct rsa_private *r, size_t *n)
{
	uint8_t *der = NULL;
	int len = ASN1_item_i2d((const ASN1_VALUE *)r, &der,
	    ASN1_ITEM_rptr(RSA_PRIVATE));

	*n = len > 0 ? (size_t)len : 0;
	return der;
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

/* Returns 1 if n = pq, and d fits, within a context that has begun. */
static int
main_numbers_fit(const struct rsa_private *r, BN_CTX *bn)
{
	const BIGNUM *n = r->n, *e = r->e, *p = r->p, *q = r->q;
	BIGNUM *t = BN_CTX_get(bn);

	return t != NULL && BN_cmp(p, n) < 0 && BN_cmp(q, n) < 0 &&
	    BN_is_odd(e) && !BN_is_one(e) && BN_is_odd(p) && BN_is_odd(q) &&
	    BN_num_bits(p) > 2 && BN_num_bits(q) > 2 && BN_cmp(r->d, n) < 0 &&
	    BN_mul(t, p, q, bn) && BN_cmp(t, n) == 0 &&
	    inverse_of_order(r->d, e, p, bn) &&
	    inverse_of_order(r->d, e, q, bn);
}

int
rsa_whole(const struct rsa_private *r)
{
	BN_CTX *bn = BN_CTX_new();
	BIGNUM *t;
	int rc;

	if (bn == NULL)
		heap_nomem();
	BN_CTX_start(bn);
	t = BN_CTX_get(bn);
	rc = t != NULL && main_numbers_fit(r, bn) && BN_cmp(r->dp, r->p) < 0 &&
	    BN_cmp(r->dq, r->q) < 0 && BN_cmp(r->qi, r->p) < 0 &&
	    inverse_of_order(r->dp, r->e, r->p, bn) &&
	    inverse_of_order(r->dq, r->e, r->q, bn) &&
	    BN_mod_mul(t, r->qi, r->q, r->p, bn) && BN_is_one(t);
	BN_CTX_end(bn);
	BN_CTX_free(bn);
	return rc;
}

int
rsa_mend(struct rsa_private *r)
{
	BN_CTX *bn = BN_CTX_secure_new();
	BIGNUM *t;
	int rc;

	if (bn == NULL)
		heap_nomem();
	BN_CTX_start(bn);
	t = BN_CTX_get(bn);
	rc = t != NULL && main_numbers_fit(r, bn) && BN_copy(t, r->p) != NULL &&
	    BN_sub_word(t, 1) && BN_mod(r->dp, r->d, t, bn) &&
	    BN_copy(t, r->q) != NULL && BN_sub_word(t, 1) &&
	    BN_mod(r->dq, r->d, t, bn) &&
	    BN_mod_inverse(r->qi, r->q, r->p, bn) != NULL;
	BN_CTX_end(bn);
	BN_CTX_free(bn);
	return rc && rsa_whole(r);
}
