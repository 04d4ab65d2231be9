#include "lock/pbe.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/heap.h"
#include "lock/budget.h"

#define SCRYPT_MAX	  (1 << 24) /* N * r * p */
#define SCRYPT_MEMORY_MAX (256 * 1024 * 1024) /* bytes: 128 * N * r */

void *
pbe_parameters(const X509_ALGOR *alg, const ASN1_ITEM *it)
{
	const void *val;
	int type;

	X509_ALGOR_get0(NULL, &type, &val, alg);
	if (type != V_ASN1_SEQUENCE)
		return NULL;
	return ASN1_item_unpack(val, it);
}

/*
 * Derives n bytes with scrypt (RFC 7914 section 7), with more memory than the
 * 32 MiB that OpenSSL allows.  Returns 1, 0 if it failed, or -1 with *w.
 */
static int
scrypt_key(const X509_ALGOR *alg, const struct passform *f, uint8_t *key,
    size_t len, struct reason *w)
{
	SCRYPT_PARAMS *p = pbe_parameters(alg, ASN1_ITEM_rptr(SCRYPT_PARAMS));
	int64_t n = 0, r = 0, par = 0;
	int ok;

	ok = p != NULL && ASN1_INTEGER_get_int64(&n, p->costParameter) &&
	    ASN1_INTEGER_get_int64(&r, p->blockSize) &&
	    ASN1_INTEGER_get_int64(&par, p->parallelizationParameter) &&
	    n > 0 && r > 0 && par > 0 && n <= SCRYPT_MAX && r <= SCRYPT_MAX &&
	    par <= SCRYPT_MAX && n * r <= SCRYPT_MAX / par;
	if (!ok)
		reason_set(w, "ceiling",
		    "asks for more scrypt than N * r * p = %d, the ceiling",
		    SCRYPT_MAX);
	else if (n * r > SCRYPT_MEMORY_MAX / 128)
		ok = reason_set(w, "ceiling",
		    "asks for scrypt with more than %d MiB of memory, the "
		    "ceiling",
		    SCRYPT_MEMORY_MAX >> 20);
	else
		ok = budget_derive(n * r * par, NULL, w);
	/* OpenSSL counts some more than the 128 * N * r */
	ok = !ok ?
	    -1 :
	    p->keyLength != NULL &&
		ASN1_INTEGER_get(p->keyLength) != (long)len ?
	    0 :
	    EVP_PBE_scrypt((const char *)f->raw, f->nraw,
		ASN1_STRING_get0_data(p->salt),
		(size_t)ASN1_STRING_length(p->salt), (uint64_t)n, (uint64_t)r,
		(uint64_t)par, 3 * (uint64_t)SCRYPT_MEMORY_MAX, key, len);
	SCRYPT_PARAMS_free(p);
	return ok;
}

int
pbe_pbkdf2(const X509_ALGOR *alg, size_t len, struct reason *w)
{
	PBKDF2PARAM *p = pbe_parameters(alg, ASN1_ITEM_rptr(PBKDF2PARAM));
	long n;
	int ok;

	if (p == NULL)
		return reason_set(w, "damaged",
		    "no PBKDF2 parameters (RFC 8018 appendix A.2)");
	n = p->keylength == NULL ? 1 : ASN1_INTEGER_get(p->keylength);
	ok = n < 1 || n > KDF_KEY_MAX ?
	    reason_set(w, "ceiling",
		"asks for a key of more than %d bytes, the ceiling",
		KDF_KEY_MAX) :
	    budget_rounds(p->iter, pbe_prf(p->prf), len, w);
	PBKDF2PARAM_free(p);
	return ok;
}

int
pbe_nid(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	return OBJ_obj2nid(oid);
}

const EVP_MD *
pbe_prf(const X509_ALGOR *alg)
{
	int hash, nid = alg == NULL ? NID_hmacWithSHA1 : pbe_nid(alg);

	/* OpenSSL 3.0 knows these, and not as a PRF */
	switch (nid) {
	case NID_hmac_sha3_224:
		return EVP_sha3_224();
	case NID_hmac_sha3_256:
		return EVP_sha3_256();
	case NID_hmac_sha3_384:
		return EVP_sha3_384();
	case NID_hmac_sha3_512:
		return EVP_sha3_512();
	default:
		break;
	}
	return EVP_PBE_find(EVP_PBE_TYPE_PRF, nid, NULL, &hash, NULL) ?
	    EVP_get_digestbynid(hash) :
	    NULL;
}

static char *
oid_name(char dst[80], const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	(void)OBJ_obj2txt(dst, 80, oid, 0);
	return dst;
}

char *
pbe_name(char dst[192], const X509_ALGOR *alg)
{
	PBE2PARAM *v2 = NULL;
	char name[80], kdf[80];

	oid_name(name, alg);
	if (pbe_nid(alg) == NID_pbes2)
		v2 = pbe_parameters(alg, ASN1_ITEM_rptr(PBE2PARAM));
	if (v2 == NULL)
		(void)snprintf(dst, 192, "%s", name);
	else
		(void)snprintf(dst, 192, "PBES2 of %s and %s",
		    oid_name(kdf, v2->keyfunc), oid_name(name, v2->encryption));
	PBE2PARAM_free(v2);
	return dst;
}

static int
unsupported(const X509_ALGOR *alg, struct reason *w)
{
	char name[192];

	reason_clear();
	reason_set(w, "unsupported",
	    "encrypted with %s, which OpenSSL does not have here",
	    pbe_name(name, alg));
	return -1;
}

/* Makes a derivation of n bytes for the ciphers of PKCS#12. */
static void
pkcs12_kdf(struct kdf *k, const PBEPARAM *p, const EVP_MD *md,
    const struct passform *f, int id, uint8_t *out, int n)
{
	k->md = md;
	k->pass = f->bmp;
	k->npass = f->nbmp;
	k->salt = ASN1_STRING_get0_data(p->salt);
	k->nsalt = (size_t)ASN1_STRING_length(p->salt);
	k->rounds = ASN1_INTEGER_get(p->iter);
	k->id = id;
	k->out = out;
	k->n = (size_t)n;
}

/*
 * Keys a cipher of PKCS#12 appendix C.  OpenSSL's own would take the password
 * as UTF-8 with terminator only.
 */
static EVP_CIPHER_CTX *
pkcs12_cipher(const X509_ALGOR *alg, int cipher, int hash,
    const struct passform *f, const struct ahead *a, struct reason *w)
{
	PBEPARAM *p = pbe_parameters(alg, ASN1_ITEM_rptr(PBEPARAM));
	const EVP_CIPHER *c = EVP_get_cipherbynid(cipher);
	const EVP_MD *md = EVP_get_digestbynid(hash);
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t key[EVP_MAX_KEY_LENGTH], iv[EVP_MAX_IV_LENGTH];
	struct kdf k[2];
	int rc = 0;

	if (p == NULL) {
		reason_set(w, "damaged",
		    "no parameters of its encryption (RFC 7292 appendix C)");
		return NULL;
	}
	if (c == NULL || md == NULL || (ctx = EVP_CIPHER_CTX_new()) == NULL)
		(void)unsupported(alg, w);
	else if (budget_rounds(p->iter, md,
		     (size_t)EVP_CIPHER_get_key_length(c), w)) {
		pkcs12_kdf(&k[0], p, md, f, PKCS12_KEY_ID, key,
		    EVP_CIPHER_get_key_length(c));
		pkcs12_kdf(&k[1], p, md, f, PKCS12_IV_ID, iv,
		    EVP_CIPHER_get_iv_length(c));
		rc = ahead_kdf(a, k, k[1].n > 0 ? 2 : 1) &&
		    EVP_DecryptInit_ex(ctx, c, NULL, key, iv);
		if (!rc)
			(void)unsupported(alg, w);
	}
	OPENSSL_cleanse(key, sizeof(key));
	PBEPARAM_free(p);
	if (rc)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

/*
 * Repairs a keyLength that is not that of the cipher, which OpenSSL refuses
 * (RFC 8018 appendix A.2).  NSS used to write 256-bit AES and Camellia under
 * the name of another: the keyLength is right.
 */
static void
repair_cipher(PBE2PARAM *v2, const PBKDF2PARAM *kdf)
{
	static const struct {
		int nid[3]; /* of 16, 24 and 32 bytes */
	} ciphers[] = {
		{ { NID_aes_128_cbc, NID_aes_192_cbc, NID_aes_256_cbc } },
		{ { NID_camellia_128_cbc, NID_camellia_192_cbc,
		    NID_camellia_256_cbc } },
	};
	long want = kdf->keylength == NULL ? 0 :
					     ASN1_INTEGER_get(kdf->keylength);
	int nid = pbe_nid(v2->encryption);
	size_t i, k;

	if (want != 16 && want != 24 && want != 32)
		return;
	for (i = 0; i < 2; i++)
		for (k = 0; k < 3; k++)
			if (ciphers[i].nid[k] == nid)
				v2->encryption->algorithm = OBJ_nid2obj(
				    ciphers[i].nid[want / 8 - 2]);
}

/* Makes a derivation by PBKDF2, its length still open.  Returns 1, or 0. */
static int
pbkdf2_kdf(struct kdf *k, const PBKDF2PARAM *p, const struct passform *f,
    uint8_t *out)
{
	memset(k, 0, sizeof(*k));
	k->md = pbe_prf(p->prf);
	if (k->md == NULL || p->salt->type != V_ASN1_OCTET_STRING)
		return 0;
	k->pass = f->raw;
	k->npass = f->nraw;
	k->salt = ASN1_STRING_get0_data(p->salt->value.octet_string);
	k->nsalt = (size_t)ASN1_STRING_length(p->salt->value.octet_string);
	k->rounds = ASN1_INTEGER_get(p->iter);
	k->out = out;
	return 1;
}

/* Keys a cipher by PBKDF2: RFC 8018 section 6.2.2.  Returns 1, or 0. */
static int
pbkdf2_key(EVP_CIPHER_CTX *ctx, const PBKDF2PARAM *p, const EVP_CIPHER *c,
    const ASN1_TYPE *iv, const struct passform *f, const struct ahead *a)
{
	uint8_t key[EVP_MAX_KEY_LENGTH];
	struct kdf k;
	int rc;

	if (c == NULL || !pbkdf2_kdf(&k, p, f, key) ||
	    !EVP_DecryptInit_ex(ctx, c, NULL, NULL, NULL) ||
	    EVP_CIPHER_asn1_to_param(ctx, (ASN1_TYPE *)iv) <= 0)
		return 0;
	k.n = (size_t)EVP_CIPHER_CTX_get_key_length(ctx);
	if (p->keylength != NULL && ASN1_INTEGER_get(p->keylength) != (long)k.n)
		return 0;
	rc = ahead_kdf(a, &k, 1) &&
	    EVP_DecryptInit_ex(ctx, NULL, NULL, key, NULL);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* Keys a cipher of PBES2 with scrypt.  Returns 1, 0, or -1 with *w. */
static int
pbes2_scrypt(EVP_CIPHER_CTX *ctx, const PBE2PARAM *v2, const struct passform *f,
    struct reason *w)
{
	const EVP_CIPHER *c = EVP_get_cipherbyobj(v2->encryption->algorithm);
	uint8_t key[EVP_MAX_KEY_LENGTH];
	int rc;

	if (c == NULL || !EVP_DecryptInit_ex(ctx, c, NULL, NULL, NULL) ||
	    EVP_CIPHER_asn1_to_param(ctx, v2->encryption->parameter) <= 0)
		return 0;
	rc = scrypt_key(v2->keyfunc, f, key,
	    (size_t)EVP_CIPHER_CTX_get_key_length(ctx), w);
	if (rc == 1)
		rc = EVP_DecryptInit_ex(ctx, NULL, NULL, key, NULL);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* Keys a cipher of PBES2 with PBKDF2.  Returns 1, or 0 with *w. */
static int
pbes2_key(EVP_CIPHER_CTX *ctx, const X509_ALGOR *alg, PBE2PARAM *v2,
    const struct passform *f, const struct ahead *a, struct reason *w)
{
	const EVP_CIPHER *c = EVP_get_cipherbyobj(v2->encryption->algorithm);
	PBKDF2PARAM *kdf;
	int rc;

	if (!pbe_pbkdf2(v2->keyfunc,
		c == NULL ? 0 : (size_t)EVP_CIPHER_get_key_length(c), w))
		return 0;
	kdf = pbe_parameters(v2->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM));
	repair_cipher(v2, kdf);
	rc = pbkdf2_key(ctx, kdf,
	    EVP_get_cipherbyobj(v2->encryption->algorithm),
	    v2->encryption->parameter, f, a);
	PBKDF2PARAM_free(kdf);
	if (!rc)
		(void)unsupported(alg, w);
	return rc;
}

/* Keys a cipher of PBES1, or of PBES2 with another, as OpenSSL does. */
static int
pbes_key(EVP_CIPHER_CTX *ctx, const X509_ALGOR *alg, const struct passform *f,
    struct reason *w)
{
	const ASN1_OBJECT *oid;
	ASN1_TYPE param;
	const void *value;

	X509_ALGOR_get0(&oid, &param.type, &value, alg);
	param.value.ptr = (char *)value;
	if (EVP_PBE_CipherInit((ASN1_OBJECT *)oid, (const char *)f->raw,
		(int)f->nraw, &param, ctx, 0))
		return 1;
	(void)unsupported(alg, w);
	return 0;
}

/* Returns a keyed cipher of PBES1 or PBES2, or NULL with *w. */
static EVP_CIPHER_CTX *
pbes_cipher(const X509_ALGOR *alg, const struct passform *f,
    const struct ahead *a, struct reason *w)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	PBE2PARAM *v2 = NULL;
	PBEPARAM *v1 = NULL;
	int ok;

	if (ctx == NULL)
		heap_nomem();
	if (pbe_nid(alg) != NID_pbes2) {
		v1 = pbe_parameters(alg, ASN1_ITEM_rptr(PBEPARAM));
		ok = (v1 == NULL ||
			 budget_rounds(v1->iter, EVP_sha1(), 1, w)) &&
		    pbes_key(ctx, alg, f, w);
	} else if ((v2 = pbe_parameters(alg, ASN1_ITEM_rptr(PBE2PARAM))) ==
	    NULL)
		ok = reason_set(w, "damaged",
		    "no PBES2 parameters (RFC 8018 appendix A.4)");
	else if (pbe_nid(v2->keyfunc) == NID_id_pbkdf2)
		ok = pbes2_key(ctx, alg, v2, f, a, w);
	else if (pbe_nid(v2->keyfunc) == NID_id_scrypt) {
		if ((ok = pbes2_scrypt(ctx, v2, f, w)) == 0)
			(void)unsupported(alg, w);
		ok = ok == 1;
	} else
		ok = pbes_key(ctx, alg, f, w);
	PBEPARAM_free(v1);
	PBE2PARAM_free(v2);
	if (ok)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

/* Returns 1 for the ciphers of RFC 7292 appendix C, with what they use. */
static int
is_pkcs12(int nid, int *cipher, int *hash)
{
	switch (nid) {
	case NID_pbe_WithSHA1And128BitRC4:
	case NID_pbe_WithSHA1And40BitRC4:
	case NID_pbe_WithSHA1And3_Key_TripleDES_CBC:
	case NID_pbe_WithSHA1And2_Key_TripleDES_CBC:
	case NID_pbe_WithSHA1And128BitRC2_CBC:
	case NID_pbe_WithSHA1And40BitRC2_CBC:
		return EVP_PBE_find(EVP_PBE_TYPE_OUTER, nid, cipher, hash,
		    NULL);
	default:
		return 0;
	}
}

int
pbe_decrypt(const X509_ALGOR *alg, const struct passform *f,
    const struct ahead *a, const uint8_t *in, size_t n, uint8_t **out,
    size_t *outlen, struct reason *w)
{
	int cipher, hash, len, last, rc, old;
	EVP_CIPHER_CTX *ctx;

	old = is_pkcs12(pbe_nid(alg), &cipher, &hash);
	if (!(old ? f->has_bmp : f->has_raw) ||
	    n > INT_MAX - EVP_MAX_BLOCK_LENGTH)
		return 0;
	/* to decrypt it, and to parse it, is work too */
	if (!budget_spend(64 + (int64_t)n / 16, w))
		return -1;
	ctx = old ? pkcs12_cipher(alg, cipher, hash, f, a, w) :
		    pbes_cipher(alg, f, a, w);
	if (ctx == NULL)
		return -1;
	if ((*out = OPENSSL_malloc(n + EVP_MAX_BLOCK_LENGTH)) == NULL)
		heap_nomem();
	rc = EVP_DecryptUpdate(ctx, *out, &len, in, (int)n) &&
	    EVP_DecryptFinal_ex(ctx, *out + len, &last);
	if (rc)
		*outlen = (size_t)(len + last);
	else
		OPENSSL_clear_free(*out, n + EVP_MAX_BLOCK_LENGTH);
	EVP_CIPHER_CTX_free(ctx);
	reason_clear();
	return rc;
}

static void
pkcs12_ahead(struct ahead *a, const X509_ALGOR *alg, int cipher, int hash)
{
	PBEPARAM *p = pbe_parameters(alg, ASN1_ITEM_rptr(PBEPARAM));
	const EVP_CIPHER *c = EVP_get_cipherbynid(cipher);
	const EVP_MD *md = EVP_get_digestbynid(hash);
	struct kdf k;

	if (p != NULL && c != NULL && md != NULL) {
		pkcs12_kdf(&k, p, md, &a->form, PKCS12_KEY_ID, NULL,
		    EVP_CIPHER_get_key_length(c));
		ahead_add(a, &k);
		pkcs12_kdf(&k, p, md, &a->form, PKCS12_IV_ID, NULL,
		    EVP_CIPHER_get_iv_length(c));
		ahead_add(a, &k);
	}
	PBEPARAM_free(p);
}

static void
pbes2_ahead(struct ahead *a, const X509_ALGOR *alg)
{
	PBE2PARAM *v2 = pbe_parameters(alg, ASN1_ITEM_rptr(PBE2PARAM));
	PBKDF2PARAM *p = NULL;
	const EVP_CIPHER *c;
	struct kdf k;

	if (v2 != NULL && pbe_nid(v2->keyfunc) == NID_id_pbkdf2)
		p = pbe_parameters(v2->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM));
	if (p != NULL) {
		repair_cipher(v2, p);
		c = EVP_get_cipherbyobj(v2->encryption->algorithm);
		if (c != NULL && pbkdf2_kdf(&k, p, &a->form, NULL)) {
			k.n = (size_t)EVP_CIPHER_get_key_length(c);
			ahead_add(a, &k);
		}
	}
	PBKDF2PARAM_free(p);
	PBE2PARAM_free(v2);
}

void
pbe_ahead(struct ahead *a, const X509_ALGOR *alg)
{
	int nid = pbe_nid(alg), cipher, hash, old;

	old = is_pkcs12(nid, &cipher, &hash);
	if (old && a->form.has_bmp)
		pkcs12_ahead(a, alg, cipher, hash);
	else if (nid == NID_pbes2 && a->form.has_raw)
		pbes2_ahead(a, alg);
	reason_clear();
}
