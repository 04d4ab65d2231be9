#include "key/winblob.h"

#include <endian.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/heap.h"
#include "base/reason.h"
#include "key/private.h"

/* The numbers in the order of the full RSA BLOB; the short one ends at Q. */
enum { E, N, P, Q, DP, DQ, QI, D, PARTS };

/*
 * Reads a number of a CNG header, which has the bytes of the machine,
 * little-endian; [MS-WCCE] says big-endian.
 */
static size_t
num(const uint8_t *p, int big)
{
	return big ?
	    (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3] :
	    (size_t)p[3] << 24 | (size_t)p[2] << 16 | (size_t)p[1] << 8 | p[0];
}

/* Returns 1 if a CNG BLOB begins with this magic, in either byte order. */
static int
is_magic(const uint8_t *p, const char *magic)
{
	return memcmp(p, magic, 4) == 0 ||
	    (p[0] == magic[3] && p[1] == magic[2] && p[2] == magic[1] &&
		p[3] == magic[0]);
}

/* Makes an OpenSSL key, or NULL, of the numbers, and consumes the builder. */
static EVP_PKEY *
make(const char *type, OSSL_PARAM_BLD *bld, int ok)
{
	OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(bld) : NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pk = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pk, EVP_PKEY_KEYPAIR, params) != 1)
		pk = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	return pk;
}

/* Computes the CRT values and d if the BLOB has only primes: RFC 8017 3.2. */
static int
complete(BIGNUM *v[PARTS])
{
	BN_CTX *bn = BN_CTX_secure_new();
	BIGNUM *p1, *q1, *l;
	int rc;

	if (bn == NULL)
		return 0;
	BN_CTX_start(bn);
	p1 = BN_CTX_get(bn);
	q1 = BN_CTX_get(bn);
	l = BN_CTX_get(bn);
	rc = l != NULL && BN_sub(p1, v[P], BN_value_one()) &&
	    BN_sub(q1, v[Q], BN_value_one()) && BN_gcd(l, p1, q1, bn) &&
	    BN_div(l, NULL, p1, l, bn) && BN_mul(l, l, q1, bn);
	if (rc) {
		BN_set_flags(l, BN_FLG_CONSTTIME);
		BN_set_flags(v[P], BN_FLG_CONSTTIME);
		rc = BN_mod_inverse(v[D], v[E], l, bn) != NULL &&
		    BN_mod(v[DP], v[D], p1, bn) &&
		    BN_mod(v[DQ], v[D], q1, bn) &&
		    BN_mod_inverse(v[QI], v[Q], v[P], bn) != NULL;
	}
	BN_CTX_end(bn);
	BN_CTX_free(bn);
	return rc;
}

/*
 * Finds the numbers of a BCRYPT_RSAKEY_BLOB, which follow a magic, the bits,
 * and four sizes.  Returns how many, or 0 if it is not whole.
 */
static int
rsa_parts(const uint8_t *b, size_t len, int big, BIGNUM *v[PARTS])
{
	static const int size_at[PARTS] = { 8, 12, 16, 20, 16, 20, 16, 12 };
	const int parts = is_magic(b, "RSA3") ? PARTS : DP;
	size_t size[PARTS], sum = 24;
	int i;

	for (i = 0; i < parts; i++)
		sum += size[i] = num(b + size_at[i], big);
	if (sum != len)
		return 0;
	for (i = 0, b += 24; i < parts; b += size[i++])
		if (size[i] > RSA_BITS_MAX / 8 ||
		    BN_bin2bn(b, (int)size[i], v[i]) == NULL)
			return 0;
	return parts;
}

static EVP_PKEY *
rsa(const uint8_t *b, size_t len)
{
	static const char *const name[PARTS] = { OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
		OSSL_PKEY_PARAM_RSA_D };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *v[PARTS];
	EVP_PKEY *pk;
	int i, ok = bld != NULL, parts = 0;

	for (i = 0; i < PARTS; i++)
		ok &= (v[i] = BN_secure_new()) != NULL;
	if (ok && len >= 24 && (parts = rsa_parts(b, len, 0, v)) == 0)
		parts = rsa_parts(b, len, 1, v);
	ok = parts == PARTS || (parts != 0 && complete(v));
	for (i = 0; ok && i < PARTS; i++)
		ok = OSSL_PARAM_BLD_push_BN(bld, name[i], v[i]);
	pk = make("RSA", bld, ok);
	for (i = 0; i < PARTS; i++)
		BN_clear_free(v[i]);
	return pk;
}

/*
 * Reads an ECC point and number, big-endian as in CNG or little-endian as in
 * [MS-WCCE], whichever is on the curve.
 */
static EVP_PKEY *
ecc_numbers(const char *curve, const uint8_t *b, size_t size, int little)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *d = BN_secure_new();
	uint8_t point[1 + 2 * 66];
	size_t i;
	EVP_PKEY *pk;
	int ok;

	point[0] = POINT_CONVERSION_UNCOMPRESSED;
	for (i = 0; i < size; i++) {
		point[1 + i] = b[little ? size - 1 - i : i];
		point[1 + size + i] = b[size + (little ? size - 1 - i : i)];
	}
	b += 2 * size;
	ok = bld != NULL && d != NULL &&
	    (little ? BN_lebin2bn(b, (int)size, d) :
		      BN_bin2bn(b, (int)size, d)) != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
		curve, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
		point, 1 + 2 * size) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d);
	pk = make("EC", bld, ok);
	BN_clear_free(d);
	return pk;
}

/* Reads a BCRYPT_ECCKEY_BLOB: magic, size, X, Y, d; of ECDH or ECDSA. */
static EVP_PKEY *
ecc(const uint8_t *b, size_t len)
{
	static const struct {
		const char *ecdh, *ecdsa, *curve;
		size_t size;
	} kind[] = { { "ECK2", "ECS2", "P-256", 32 },
		{ "ECK4", "ECS4", "P-384", 48 },
		{ "ECK6", "ECS6", "P-521", 66 } };
	EVP_PKEY *pk = NULL;
	size_t i, size;

	for (i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		size = kind[i].size;
		if ((!is_magic(b, kind[i].ecdh) &&
			!is_magic(b, kind[i].ecdsa)) ||
		    len != 8 + 3 * size ||
		    (num(b + 4, 0) != size && num(b + 4, 1) != size))
			continue;
		pk = ecc_numbers(kind[i].curve, b + 8, size, 0);
		if (pk == NULL)
			pk = ecc_numbers(kind[i].curve, b + 8, size, 1);
	}
	return pk;
}

/* [MS-WCCE] 2.2.2.9.1: PRIVATEKEYBLOB of AT_KEYEXCHANGE, RSA2. */
static const uint8_t capi_head[12] = { 0x07, 0x02, 0, 0, 0, 0xa4, 0, 0, 'R',
	'S', 'A', '2' };

uint8_t *
winblob_new(const struct rsa_private *r, size_t *len)
{
	const int bits = BN_num_bits(r->n), whole = (bits + 7) / 8,
		  half = (bits + 15) / 16;
	const struct {
		const BIGNUM *v;
		int size;
	} part[] = { { r->e, 4 }, { r->n, whole }, { r->p, half },
		{ r->q, half }, { r->dp, half }, { r->dq, half },
		{ r->qi, half }, { r->d, whole } };
	const uint32_t le = htole32((uint32_t)bits);
	uint8_t *out, *p;
	size_t i;

	*len = sizeof(capi_head) + 8 + (size_t)(2 * whole + 5 * half);
	if ((out = OPENSSL_secure_malloc(*len)) == NULL)
		heap_nomem();
	memcpy(out, capi_head, sizeof(capi_head));
	memcpy(out + sizeof(capi_head), &le, sizeof(le));
	p = out + sizeof(capi_head) + sizeof(le);
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		if (BN_bn2lebinpad(part[i].v, p, part[i].size) < 0) {
			OPENSSL_secure_clear_free(out, *len);
			reason_clear();
			return NULL;
		}
		p += part[i].size;
	}
	return out;
}

uint8_t *
winblob_capi(const uint8_t *blob, size_t n, size_t *len)
{
	const uint8_t *p = blob;
	EVP_PKEY *pk;
	uint8_t *out = NULL;
	size_t bits;

	/* b2i minds neither the version, which is 2, nor what follows */
	if (n < 20 || blob[0] != 0x07 || blob[1] != 0x02)
		return NULL;
	bits = blob[12] | (size_t)blob[13] << 8;
	if (n != 20 + (bits + 7) / 8 * 2 + (bits + 15) / 16 * 5)
		return NULL;
	if ((pk = b2i_PrivateKey(&p, (long)n)) != NULL)
		out = private_p8(pk, len);
	EVP_PKEY_free(pk);
	reason_clear();
	return out;
}

uint8_t *
winblob_key(const uint8_t *p, size_t n, size_t *len)
{
	EVP_PKEY *pk;
	uint8_t *out = NULL;

	if (n > 0 && p[0] == 0x30) {
		if ((out = OPENSSL_secure_malloc(n)) != NULL)
			memcpy(out, p, n);
		*len = n;
		return out;
	}
	if (n < 8)
		return NULL;
	if (p[0] == 0x07)
		return winblob_capi(p, n, len);
	pk = is_magic(p, "RSA2") || is_magic(p, "RSA3") ? rsa(p, n) : ecc(p, n);
	if (pk != NULL)
		out = private_p8(pk, len);
	EVP_PKEY_free(pk);
	reason_clear();
	return out;
}
