#include "p12.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "tool.h"

#define KEY_MAX	     1024 /* bytes that a KDF is asked for */
#define SCRYPT_MAX   (1 << 24) /* N * r * p */
#define FRIENDLY_MAX (64 * 1024) /* bytes; longer is left out */

/* clang-format off */

/*
 * PFX and MacData of RFC 7292 section 4, PBMAC1-params of RFC 8018 appendix
 * A.5: templates of our own, since OpenSSL's PKCS12 does not give away the
 * bytes that the MAC covers.
 */
typedef struct mac_data {
	X509_SIG *mac;
	ASN1_OCTET_STRING *salt;
	ASN1_INTEGER *rounds;
} MAC_DATA;

ASN1_SEQUENCE(MAC_DATA) = {
	ASN1_SIMPLE(MAC_DATA, mac, X509_SIG),
	ASN1_SIMPLE(MAC_DATA, salt, ASN1_OCTET_STRING),
	ASN1_OPT(MAC_DATA, rounds, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END(MAC_DATA)

typedef struct pfx {
	ASN1_INTEGER *version;
	PKCS7 *authsafe;
	MAC_DATA *mac;
} PFX;

ASN1_SEQUENCE(PFX) = {
	ASN1_SIMPLE(PFX, version, ASN1_INTEGER),
	ASN1_SIMPLE(PFX, authsafe, PKCS7),
	ASN1_OPT(PFX, mac, MAC_DATA)
} static_ASN1_SEQUENCE_END(PFX)

/*
 * SafeBag and CertBag of section 4.2, so that a certificate stays as it is
 * and a part that is damaged spoils nothing but itself.
 */
typedef struct safe_bag {
	ASN1_OBJECT *type;
	ASN1_TYPE *value, *attrs;
} SAFE_BAG;

DEFINE_STACK_OF(SAFE_BAG)

ASN1_SEQUENCE(SAFE_BAG) = {
	ASN1_SIMPLE(SAFE_BAG, type, ASN1_OBJECT),
	ASN1_EXP(SAFE_BAG, value, ASN1_ANY, 0),
	ASN1_OPT(SAFE_BAG, attrs, ASN1_ANY)
} static_ASN1_SEQUENCE_END(SAFE_BAG)

ASN1_ITEM_TEMPLATE(SAFE_BAGS) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, SAFE_BAGS, SAFE_BAG)
static_ASN1_ITEM_TEMPLATE_END(SAFE_BAGS)

typedef struct cert_bag {
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} CERT_BAG;

ASN1_SEQUENCE(CERT_BAG) = {
	ASN1_SIMPLE(CERT_BAG, type, ASN1_OBJECT),
	ASN1_EXP(CERT_BAG, value, ASN1_ANY, 0)
} static_ASN1_SEQUENCE_END(CERT_BAG)

typedef struct pbmac1 {
	X509_ALGOR *kdf, *mac;
} PBMAC1;

ASN1_SEQUENCE(PBMAC1) = {
	ASN1_SIMPLE(PBMAC1, kdf, X509_ALGOR),
	ASN1_SIMPLE(PBMAC1, mac, X509_ALGOR)
} static_ASN1_SEQUENCE_END(PBMAC1)

    /* clang-format on */

    /* A password in one of the forms that writers have used. */
    struct form {
	const char *s; /* NULL is not the same as "" */
	int n;
};

int
p12_is(const uint8_t *der, size_t n)
{
	size_t head;

	if (n < 8 || der[0] != 0x30)
		return 0;
	head = der[1] > 0x80 ? 2u + (der[1] & 0x7fu) : 2;
	return head + 4 <= n && head <= 6 &&
	    memcmp(der + head, "\x02\x01\x03\x30", 4) == 0;
}

char *
p12_alg_name(char dst[80], const X509_ALGOR *alg)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	(void)OBJ_obj2txt(dst, 80, oid, 0);
	return dst;
}

/* The parameters of an algorithm as a structure, or NULL. */
static void *
parameters(const X509_ALGOR *alg, const ASN1_ITEM *it)
{
	const void *val;
	int type;

	X509_ALGOR_get0(NULL, &type, &val, alg);
	if (type != V_ASN1_SEQUENCE)
		return NULL;
	return ASN1_item_unpack(val, it);
}

/* Rounds that the file at hand may still ask for, all its parts together. */
static int64_t rounds_left;

void
p12_kdf_start(void)
{
	rounds_left = KDF_WORK_MAX;
}

/* Counts work before it is done.  Returns 1, or 0 with *w. */
static int
spend(int64_t rounds, struct why *w)
{
	if (rounds > rounds_left)
		return why_set(w, "ceiling",
		    "asks for more than %d rounds of key derivation in all, "
		    "the ceiling of a file (fewer passwords need fewer)",
		    KDF_WORK_MAX);
	rounds_left -= rounds;
	return 1;
}

int
p12_kdf_spend(int64_t rounds, struct why *w)
{
	return spend(rounds, w);
}

static int
rounds_ok(const ASN1_INTEGER *rounds, struct why *w)
{
	int64_t v;

	if (!ASN1_INTEGER_get_int64(&v, rounds) || v < 1 || v > KDF_ROUNDS_MAX)
		return why_set(w, "ceiling",
		    "asks for more than %d rounds of "
		    "key derivation, the ceiling",
		    KDF_ROUNDS_MAX);
	return spend(v, w);
}

static int
scrypt_ok(const X509_ALGOR *alg, struct why *w)
{
	SCRYPT_PARAMS *p = parameters(alg, ASN1_ITEM_rptr(SCRYPT_PARAMS));
	int64_t n = 0, r = 0, par = 0;
	int ok;

	ok = p != NULL && ASN1_INTEGER_get_int64(&n, p->costParameter) &&
	    ASN1_INTEGER_get_int64(&r, p->blockSize) &&
	    ASN1_INTEGER_get_int64(&par, p->parallelizationParameter) &&
	    n > 0 && r > 0 && par > 0 && n <= SCRYPT_MAX && r <= SCRYPT_MAX &&
	    par <= SCRYPT_MAX && n * r <= SCRYPT_MAX / par;
	SCRYPT_PARAMS_free(p);
	if (!ok)
		return why_set(w, "ceiling",
		    "asks for more scrypt than N * r "
		    "* p = %d, the ceiling",
		    SCRYPT_MAX);
	return spend(n * r * par, w);
}

static int
pbkdf2_ok(const X509_ALGOR *alg, struct why *w)
{
	PBKDF2PARAM *p = parameters(alg, ASN1_ITEM_rptr(PBKDF2PARAM));
	int ok;

	if (p == NULL)
		return why_set(w, "damaged",
		    "no PBKDF2 parameters (RFC 8018 "
		    "appendix A.2)");
	ok = rounds_ok(p->iter, w);
	if (ok && p->keylength != NULL &&
	    (ASN1_INTEGER_get(p->keylength) < 1 ||
		ASN1_INTEGER_get(p->keylength) > KEY_MAX))
		ok = why_set(w, "ceiling",
		    "asks for a key of more than %d "
		    "bytes, the ceiling",
		    KEY_MAX);
	PBKDF2PARAM_free(p);
	return ok;
}

int
p12_kdf_check(const X509_ALGOR *alg, struct why *w)
{
	const ASN1_OBJECT *oid;
	PBE2PARAM *v2;
	PBEPARAM *v1;
	int ok = 1;

	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if (OBJ_obj2nid(oid) != NID_pbes2) {
		v1 = parameters(alg, ASN1_ITEM_rptr(PBEPARAM));
		if (v1 != NULL)
			ok = rounds_ok(v1->iter, w);
		PBEPARAM_free(v1);
		return ok;
	}
	v2 = parameters(alg, ASN1_ITEM_rptr(PBE2PARAM));
	if (v2 == NULL)
		return why_set(w, "damaged",
		    "no PBES2 parameters (RFC 8018 "
		    "appendix A.4)");
	X509_ALGOR_get0(&oid, NULL, NULL, v2->keyfunc);
	if (OBJ_obj2nid(oid) == NID_id_pbkdf2)
		ok = pbkdf2_ok(v2->keyfunc, w);
	else if (OBJ_obj2nid(oid) == NID_id_scrypt)
		ok = scrypt_ok(v2->keyfunc, w);
	PBE2PARAM_free(v2);
	return ok;
}

/* MAC key of RFC 7292 appendix B.  Returns 1 if the key could be made. */
static int
mac_key(const MAC_DATA *m, const EVP_MD *md, const struct form *f,
    uint8_t key[EVP_MAX_MD_SIZE])
{
	long rounds = m->rounds == NULL ? 1 : ASN1_INTEGER_get(m->rounds);

	return PKCS12_key_gen_utf8(f->s, f->n,
	    (unsigned char *)ASN1_STRING_get0_data(m->salt),
	    ASN1_STRING_length(m->salt), PKCS12_MAC_ID, (int)rounds,
	    EVP_MD_get_size(md), key, md);
}

/* MAC key of RFC 9579: PBKDF2 with what the parameters say. */
static int
pbmac1_key(const X509_ALGOR *kdf, const struct form *f, uint8_t *key,
    int *keylen)
{
	PBKDF2PARAM *p = parameters(kdf, ASN1_ITEM_rptr(PBKDF2PARAM));
	const ASN1_OBJECT *oid;
	int prf = NID_hmacWithSHA1, hash = NID_undef, rc = 0;

	if (p == NULL || p->salt->type != V_ASN1_OCTET_STRING ||
	    p->keylength == NULL)
		goto out;
	*keylen = (int)ASN1_INTEGER_get(p->keylength);
	if (*keylen < 20) /* RFC 9579 section 5 */
		goto out;
	if (p->prf != NULL) {
		X509_ALGOR_get0(&oid, NULL, NULL, p->prf);
		prf = OBJ_obj2nid(oid);
	}
	if (!EVP_PBE_find(EVP_PBE_TYPE_PRF, prf, NULL, &hash, NULL))
		goto out;
	rc = PKCS5_PBKDF2_HMAC(f->s == NULL ? "" : f->s, f->n,
	    p->salt->value.octet_string->data,
	    p->salt->value.octet_string->length, (int)ASN1_INTEGER_get(p->iter),
	    EVP_get_digestbynid(hash), *keylen, key);
out:
	PBKDF2PARAM_free(p);
	return rc;
}

/* What the MAC of a file is made of, looked up once. */
struct mac {
	const MAC_DATA *data;
	const ASN1_OCTET_STRING *content, *want;
	const EVP_MD *md;
	PBMAC1 *pb; /* NULL: RFC 7292 appendix B */
	int64_t rounds; /* of each check */
};

static int
mac_open(struct mac *m, const MAC_DATA *data, const ASN1_OCTET_STRING *content,
    struct why *w)
{
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;
	int64_t before = rounds_left;
	char name[80];
	int nid;

	memset(m, 0, sizeof(*m));
	m->data = data;
	m->content = content;
	X509_SIG_get0(data->mac, &alg, &m->want);
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	p12_alg_name(name, alg);
	if (OBJ_obj2nid(oid) == NID_pbmac1) {
		m->pb = parameters(alg, ASN1_ITEM_rptr(PBMAC1));
		if (m->pb == NULL)
			return why_set(w, "damaged",
			    "no PBMAC1 parameters "
			    "(RFC 9579 section 4)");
		if (!pbkdf2_ok(m->pb->kdf, w))
			return 0;
		X509_ALGOR_get0(&oid, NULL, NULL, m->pb->mac);
		p12_alg_name(name, m->pb->mac);
		if (EVP_PBE_find(EVP_PBE_TYPE_PRF, OBJ_obj2nid(oid), NULL, &nid,
			NULL))
			m->md = EVP_get_digestbynid(nid);
	} else {
		if (data->rounds != NULL && !rounds_ok(data->rounds, w))
			return 0;
		m->md = EVP_get_digestbyobj(oid);
	}
	m->rounds = before - rounds_left;
	if (m->md == NULL)
		return why_set(w, "unsupported",
		    "integrity check by %s, "
		    "which OpenSSL does not have",
		    name);
	return 1;
}

/* Returns 1 if the file's MAC is right under this password. */
static int
mac_check(const struct mac *m, const struct form *f)
{
	uint8_t key[KEY_MAX], got[EVP_MAX_MD_SIZE];
	int keylen = EVP_MD_get_size(m->md), rc;
	unsigned n = 0;

	rc = (m->pb == NULL ? mac_key(m->data, m->md, f, key) :
			      pbmac1_key(m->pb->kdf, f, key, &keylen)) &&
	    HMAC(m->md, key, keylen, m->content->data,
		(size_t)m->content->length, got, &n) != NULL &&
	    n == (unsigned)m->want->length &&
	    CRYPTO_memcmp(got, m->want->data, n) == 0;
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(got, sizeof(got));
	return rc;
}

/* The value of a bag, or such, as a structure, or NULL. */
static void *
value(const ASN1_TYPE *any, const ASN1_ITEM *it)
{
	if (any->type != V_ASN1_SEQUENCE)
		return NULL;
	return ASN1_item_unpack(any->value.sequence, it);
}

/* The friendlyName attribute, or NULL; attributes that do not parse go by. */
static X509_ATTRIBUTE *
name_attr(const SAFE_BAG *bag)
{
	STACK_OF(ASN1_TYPE) *all = NULL;
	X509_ATTRIBUTE *a = NULL;
	int i;

	if (bag->attrs != NULL && bag->attrs->type == V_ASN1_SET)
		all = ASN1_item_unpack(bag->attrs->value.set,
		    ASN1_ITEM_rptr(ASN1_SET_ANY));
	for (i = 0; i < sk_ASN1_TYPE_num(all) && a == NULL; i++) {
		a = value(sk_ASN1_TYPE_value(all, i),
		    ASN1_ITEM_rptr(X509_ATTRIBUTE));
		if (a != NULL &&
		    OBJ_obj2nid(X509_ATTRIBUTE_get0_object(a)) !=
			NID_friendlyName) {
			X509_ATTRIBUTE_free(a);
			a = NULL;
		}
	}
	sk_ASN1_TYPE_pop_free(all, ASN1_TYPE_free);
	return a;
}

/*
 * UTF-8 of UTF-16BE.  OPENSSL_uni2utf8() loses a last character of three bytes
 * that no U+0000 follows.
 */
static char *
utf8(const ASN1_BMPSTRING *bmp)
{
	unsigned char *uni = OPENSSL_zalloc((size_t)bmp->length + 2);
	char *s = NULL;

	if (uni != NULL) {
		memcpy(uni, bmp->data, (size_t)bmp->length);
		s = OPENSSL_uni2utf8(uni, bmp->length + 2);
	}
	OPENSSL_free(uni);
	return s;
}

/* UTF-8 of friendlyName, NULs inside kept; NULL if there is none. */
static char *
friendly_name(const SAFE_BAG *bag, size_t *n)
{
	X509_ATTRIBUTE *a = name_attr(bag);
	const ASN1_BMPSTRING *bmp;
	char *s = NULL;
	int i;

	*n = 0;
	bmp = X509_ATTRIBUTE_get0_data(a, 0, V_ASN1_BMPSTRING, NULL);
	if (bmp != NULL)
		s = utf8(bmp);
	if (s != NULL) {
		/* it has one string for each U+0000, one behind the other */
		*n = strlen(s);
		for (i = 0; i + 3 < bmp->length; i += 2)
			if (bmp->data[i] == 0 && bmp->data[i + 1] == 0)
				*n += 1 + strlen(s + *n + 1);
	}
	if (*n > FRIENDLY_MAX) {
		OPENSSL_free(s);
		s = NULL;
		*n = 0;
	}
	X509_ATTRIBUTE_free(a);
	return s;
}

/* One file on its way: how it opened, and where its parts go. */
struct reader {
	struct form form;
	struct items *out;
	int locked; /* parts that the password did not open */
	int opened;
};

static void
damaged(struct reader *r, const char *what)
{
	struct why w;

	why_ssl(&w, "damaged", "%s cannot be read (RFC 7292 section 4.2)",
	    what);
	items_add_fault(r->out, &w);
}

/* A part that did not open under the password that the rest opened under. */
static void
locked(struct reader *r, const char *what, const X509_ALGOR *alg)
{
	struct why w;
	char name[80];

	r->locked++;
	why_ssl(&w, "unsupported", "%s encrypted with %s does not open", what,
	    p12_alg_name(name, alg));
	items_add_fault(r->out, &w);
}

/* Adds a key; takes info. */
static void
add_key(struct reader *r, PKCS8_PRIV_KEY_INFO *info, const SAFE_BAG *bag)
{
	int n = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
	uint8_t *p8, *p;
	char *name;
	size_t len;

	tool_check_heap();
	if (n <= 0) {
		damaged(r, "a private key");
		PKCS8_PRIV_KEY_INFO_free(info);
		return;
	}
	if ((p8 = p = OPENSSL_secure_malloc((size_t)n)) != NULL)
		(void)i2d_PKCS8_PRIV_KEY_INFO(info, &p);
	PKCS8_PRIV_KEY_INFO_free(info);
	name = friendly_name(bag, &len);
	if (p8 == NULL)
		tool_nomem();
	items_add_key(r->out, p8, (size_t)n, name, len);
	OPENSSL_secure_clear_free(p8, (size_t)n);
}

static void
read_shrouded(struct reader *r, const SAFE_BAG *bag)
{
	X509_SIG *sig = value(bag->value, ASN1_ITEM_rptr(X509_SIG));
	const X509_ALGOR *alg;
	PKCS8_PRIV_KEY_INFO *info;
	struct why w;

	if (sig == NULL) {
		damaged(r, "an encrypted key");
		return;
	}
	X509_SIG_get0(sig, &alg, NULL);
	if (!p12_kdf_check(alg, &w))
		items_add_fault(r->out, &w);
	else if ((info = PKCS8_decrypt(sig, r->form.s, r->form.n)) == NULL)
		locked(r, "a key", alg);
	else {
		r->opened++;
		add_key(r, info, bag);
	}
	X509_SIG_free(sig);
}

static void
read_cert(struct reader *r, const SAFE_BAG *bag)
{
	CERT_BAG *cb = value(bag->value, ASN1_ITEM_rptr(CERT_BAG));
	const ASN1_OCTET_STRING *der;
	struct why w;
	char *name;
	size_t len;

	if (cb == NULL) {
		damaged(r, "a certificate bag");
	} else if (OBJ_obj2nid(cb->type) != NID_x509Certificate ||
	    cb->value->type != V_ASN1_OCTET_STRING) {
		why_set(&w, "unsupported",
		    "certificate bag that is not X.509 "
		    "(RFC 7292 section 4.2.3)");
		items_add_fault(r->out, &w);
	} else {
		der = cb->value->value.octet_string;
		name = friendly_name(bag, &len);
		items_add_cert(r->out, ASN1_STRING_get0_data(der),
		    (size_t)ASN1_STRING_length(der), name, len);
	}
	ASN1_item_free((ASN1_VALUE *)cb, ASN1_ITEM_rptr(CERT_BAG));
}

static void read_bags(struct reader *, const STACK_OF(SAFE_BAG) *, int);

static void
free_bags(STACK_OF(SAFE_BAG) *bags)
{
	ASN1_item_free((ASN1_VALUE *)bags, ASN1_ITEM_rptr(SAFE_BAGS));
}

/* SafeContents within SafeContents. */
static void
read_nested(struct reader *r, const SAFE_BAG *bag, int depth)
{
	STACK_OF(SAFE_BAG) *bags;
	struct why w;

	if (depth == P12_DEPTH_MAX) {
		why_set(&w, "ceiling",
		    "more than %d SafeContents in one "
		    "another, the ceiling",
		    P12_DEPTH_MAX);
		items_add_fault(r->out, &w);
		return;
	}
	if ((bags = value(bag->value, ASN1_ITEM_rptr(SAFE_BAGS))) == NULL)
		damaged(r, "a SafeContents");
	read_bags(r, bags, depth + 1);
	free_bags(bags);
}

static void
read_bags(struct reader *r, const STACK_OF(SAFE_BAG) *bags, int depth)
{
	const SAFE_BAG *bag;
	int i;

	for (i = 0; i < sk_SAFE_BAG_num(bags); i++) {
		bag = sk_SAFE_BAG_value(bags, i);
		switch (OBJ_obj2nid(bag->type)) {
		case NID_keyBag:
			add_key(r,
			    value(bag->value,
				ASN1_ITEM_rptr(PKCS8_PRIV_KEY_INFO)),
			    bag);
			break;
		case NID_pkcs8ShroudedKeyBag:
			read_shrouded(r, bag);
			break;
		case NID_certBag:
			read_cert(r, bag);
			break;
		case NID_safeContentsBag:
			read_nested(r, bag, depth);
			break;
		default: /* CRL and secret bags hold no key */
			break;
		}
	}
}

/* An element of the AuthenticatedSafe that a password locks. */
static void
read_encrypted(struct reader *r, const PKCS7_ENC_CONTENT *ec)
{
	STACK_OF(SAFE_BAG) *bags;
	struct why w;

	if (ec->enc_data == NULL) {
		damaged(r, "an encrypted part");
		return;
	}
	if (!p12_kdf_check(ec->algorithm, &w)) {
		items_add_fault(r->out, &w);
		return;
	}
	bags = PKCS12_item_decrypt_d2i(ec->algorithm, ASN1_ITEM_rptr(SAFE_BAGS),
	    r->form.s, r->form.n, ec->enc_data, 1);
	if (bags == NULL) {
		locked(r, "a part", ec->algorithm);
		return;
	}
	r->opened++;
	read_bags(r, bags, 0);
	free_bags(bags);
}

/* One element of the AuthenticatedSafe. */
static void
read_safe(struct reader *r, PKCS7 *p7)
{
	STACK_OF(SAFE_BAG) *bags = NULL;
	struct why w;

	if (PKCS7_type_is_encrypted(p7) && p7->d.encrypted != NULL &&
	    p7->d.encrypted->enc_data != NULL) {
		read_encrypted(r, p7->d.encrypted->enc_data);
	} else if (PKCS7_type_is_data(p7)) {
		if (p7->d.data != NULL)
			bags = ASN1_item_unpack(p7->d.data,
			    ASN1_ITEM_rptr(SAFE_BAGS));
		if (bags == NULL)
			damaged(r, "a part");
		read_bags(r, bags, 0);
		free_bags(bags);
	} else {
		why_set(&w, "unsupported",
		    "part encrypted to a public key "
		    "(RFC 7292 section 4.1): decrypt it where it was made");
		items_add_fault(r->out, &w);
	}
}

static void
read_safes(struct reader *r, const STACK_OF(ASN1_TYPE) *safes)
{
	PKCS7 *p7;
	int i;

	for (i = 0; i < sk_ASN1_TYPE_num(safes); i++) {
		p7 = value(sk_ASN1_TYPE_value(safes, i), ASN1_ITEM_rptr(PKCS7));
		if (p7 == NULL)
			damaged(r, "a part");
		else
			read_safe(r, p7);
		PKCS7_free(p7);
	}
}

/*
 * The forms of one password, most likely first: as it is, and as the NULL
 * that some writers use for an empty one.  Returns 0 behind the last.
 */
static int
form_of(const char *pass, int i, struct form *f)
{
	f->s = pass;
	f->n = (int)strlen(pass);
	if (i == 1)
		f->s = NULL;
	return i == 0 || (i == 1 && f->n == 0);
}

/* Finds the password by the MAC.  Returns 1, or 0 with *w. */
static int
unlock_mac(const struct mac *m, struct secrets *s, struct form *f,
    struct why *w)
{
	const char *pass;
	size_t i;
	int k;

	for (i = 0; (pass = secret_try(s, i)) != NULL; i++)
		for (k = 0; form_of(pass, k, f); k++) {
			if (!spend(m->rounds, w))
				return 0;
			if (mac_check(m, f)) {
				secret_worked(s, i);
				return 1;
			}
		}
	return why_set(w, "password",
	    "integrity check failed (wrong password or damaged file)");
}

/* Without a MAC: the password that opens something is right. */
static int
unlock_try(const STACK_OF(ASN1_TYPE) *safes, struct secrets *s, struct items *l,
    struct why *w)
{
	struct items got;
	const char *pass;
	struct reader r;
	size_t i;
	int k;

	for (i = 0; (pass = secret_try(s, i)) != NULL; i++)
		for (k = 0;; k++) {
			memset(&got, 0, sizeof(got));
			memset(&r, 0, sizeof(r));
			r.out = &got;
			if (!form_of(pass, k, &r.form))
				break;
			read_safes(&r, safes);
			if (r.opened > 0 || r.locked == 0) {
				secret_worked(s, i);
				*l = got;
				return 1;
			}
			items_free(&got);
		}
	return why_set(w, "password",
	    "nothing in it opens (wrong password "
	    "or damaged file; it has no integrity check)");
}

/* The bytes of the AuthenticatedSafe, be it signed or not. */
static const ASN1_OCTET_STRING *
authsafe(const PFX *pfx)
{
	PKCS7 *p7 = pfx->authsafe;

	if (PKCS7_type_is_signed(p7) && p7->d.sign != NULL)
		p7 = p7->d.sign->contents;
	return p7 != NULL && PKCS7_type_is_data(p7) ? p7->d.data : NULL;
}

int
p12_read(const uint8_t *der, size_t n, struct secrets *s, struct items *l,
    struct why *w)
{
	STACK_OF(ASN1_TYPE) *safes = NULL;
	const ASN1_OCTET_STRING *content = NULL;
	const uint8_t *p = der;
	struct mac m = { .pb = NULL };
	struct reader r = { .out = l };
	PFX *pfx;
	int rc = 0;

	/* bytes behind the PFX are no error: files were padded to blocks */
	pfx = (PFX *)ASN1_item_d2i(NULL, &p, (long)n, ASN1_ITEM_rptr(PFX));
	if (pfx == NULL || ASN1_INTEGER_get(pfx->version) != 3) {
		why_set(w, "damaged",
		    "not a whole PFX, version 3 (RFC 7292 "
		    "section 4)");
		goto out;
	}
	if ((content = authsafe(pfx)) != NULL)
		safes = ASN1_item_unpack(content,
		    ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY));
	if (safes == NULL) {
		why_set(w, "damaged",
		    "no AuthenticatedSafe (RFC 7292 section "
		    "4.1)");
		goto out;
	}
	if (pfx->mac == NULL) {
		rc = unlock_try(safes, s, l, w);
	} else if (mac_open(&m, pfx->mac, content, w) &&
	    unlock_mac(&m, s, &r.form, w)) {
		read_safes(&r, safes);
		rc = 1;
	}
out:
	ASN1_item_free((ASN1_VALUE *)m.pb, ASN1_ITEM_rptr(PBMAC1));
	sk_ASN1_TYPE_pop_free(safes, ASN1_TYPE_free);
	ASN1_item_free((ASN1_VALUE *)pfx, ASN1_ITEM_rptr(PFX));
	ERR_clear_error();
	return rc;
}
