#include "cert.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "pkey.h"
#include "rec.h"
#include "tlv.h"
#include "tool.h"

#define OID_UPN "1.3.6.1.4.1.311.20.2.3" /* [MS-WCCE], UPN otherName */

/* A library context in which nothing can be done: d2i_X509 stays quick. */
static OSSL_LIB_CTX *
null_context(void)
{
	static OSSL_LIB_CTX *ctx;

	if (ctx == NULL && (ctx = OSSL_LIB_CTX_new()) != NULL &&
	    OSSL_PROVIDER_load(ctx, "null") == NULL) {
		OSSL_LIB_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* UTF-8 of an ASN.1 string as OPENSSL memory; "" if it has none or a NUL. */
static char *
utf8(const ASN1_STRING *s)
{
	unsigned char *u = NULL;
	int n;

	n = s == NULL ? -1 : ASN1_STRING_to_UTF8(&u, s);
	if (n >= 0 && strlen((char *)u) == (size_t)n)
		return (char *)u;
	OPENSSL_free(u);
	why_clear();
	return OPENSSL_strdup("");
}

/* The last attribute of its kind: in Exchange names the most specific one. */
static char *
last_of(const X509_NAME *name, int nid)
{
	int i = -1, at = -1;

	while ((i = X509_NAME_get_index_by_NID(name, nid, i)) >= 0)
		at = i;
	return utf8(at < 0 ?
		NULL :
		X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

static char *
rfc2253(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *s = NULL;
	long n;

	if (bio != NULL &&
	    X509_NAME_print_ex(bio, name, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &data);
		s = OPENSSL_strndup(n > 0 ? data : "", (size_t)n);
	}
	BIO_free(bio);
	return s;
}

static void
put_time(char dst[24], const ASN1_TIME *t)
{
	struct tm tm;

	dst[0] = '\0';
	if (ASN1_TIME_to_tm(t, &tm))
		(void)strftime(dst, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
	why_clear();
}

static char *
hex_of(const ASN1_INTEGER *serial)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(serial, NULL);
	char *hex = bn == NULL ? NULL : BN_bn2hex(bn), *p;

	for (p = hex; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			*p += 'a' - 'A';
	BN_free(bn);
	return hex;
}

/* Keeps s as *dst unless it is empty; the last one wins. */
static void
take(char **dst, char *s)
{
	if (s == NULL || *s == '\0') {
		OPENSSL_free(s);
		return;
	}
	OPENSSL_free(*dst);
	*dst = s;
}

/* rfc822Name and UPN of subjectAltName; the first mail address counts. */
static void
read_san(struct cert *c)
{
	GENERAL_NAMES *san;
	GENERAL_NAME *g;
	char oid[64];
	int i;

	san = X509_get_ext_d2i(c->x, NID_subject_alt_name, NULL, NULL);
	for (i = sk_GENERAL_NAME_num(san) - 1; i >= 0; i--) {
		g = sk_GENERAL_NAME_value(san, i);
		if (g->type == GEN_EMAIL)
			take(&c->mail, utf8(g->d.rfc822Name));
		if (g->type != GEN_OTHERNAME)
			continue;
		(void)OBJ_obj2txt(oid, sizeof(oid), g->d.otherName->type_id, 1);
		if (strcmp(oid, OID_UPN) == 0 &&
		    g->d.otherName->value->type == V_ASN1_UTF8STRING)
			take(&c->upn,
			    utf8(g->d.otherName->value->value.utf8string));
	}
	GENERAL_NAMES_free(san);
	why_clear();
}

/* Bits of RFC 5280 section 4.2.1.3, or what the algorithm allows. */
static const char *
find_use(const struct cert *c)
{
	static const char *const signers[] = { "Ed25519", "Ed448", "DSA",
		"RSA-PSS" };
	ASN1_BIT_STRING *ku;
	int enc, sig;
	size_t i;

	for (i = 0; i < sizeof(signers) / sizeof(signers[0]); i++)
		if (strncmp(c->alg, signers[i], strlen(signers[i])) == 0)
			return "sign";
	if (c->alg[0] == 'X') /* X25519, X448 */
		return "encrypt";
	ku = X509_get_ext_d2i(c->x, NID_key_usage, NULL, NULL);
	if (ku == NULL) {
		why_clear();
		return "both";
	}
	sig = ASN1_BIT_STRING_get_bit(ku, 0) ||
	    ASN1_BIT_STRING_get_bit(ku, 1) || ASN1_BIT_STRING_get_bit(ku, 5) ||
	    ASN1_BIT_STRING_get_bit(ku, 6);
	enc = ASN1_BIT_STRING_get_bit(ku, 2) ||
	    ASN1_BIT_STRING_get_bit(ku, 3) || ASN1_BIT_STRING_get_bit(ku, 4);
	ASN1_BIT_STRING_free(ku);
	return enc == sig ? "both" : enc ? "encrypt" : "sign";
}

static int
is_ca(const struct cert *c)
{
	BASIC_CONSTRAINTS *bc;
	int ca;

	bc = X509_get_ext_d2i(c->x, NID_basic_constraints, NULL, NULL);
	ca = bc != NULL && bc->ca;
	BASIC_CONSTRAINTS_free(bc);
	why_clear();
	return ca;
}

/* The public half, unparsed. */
static void
copy_key(struct cert *c)
{
	X509_ALGOR *alg = NULL;
	ASN1_OBJECT *obj = NULL;
	const uint8_t *bits = NULL;
	int n = 0;

	(void)X509_PUBKEY_get0_param(&obj, &bits, &n, &alg,
	    X509_get_X509_PUBKEY(c->x));
	c->keylen = (size_t)n;
	if (n > 0 && (c->key = OPENSSL_memdup(bits, c->keylen)) == NULL)
		tool_nomem();
	if (obj != NULL)
		(void)OBJ_obj2txt(c->oid, sizeof(c->oid), obj, 1);
	n = alg == NULL || alg->parameter == NULL ?
	    0 :
	    i2d_ASN1_TYPE(alg->parameter, &c->params);
	c->paramslen = n > 0 ? (size_t)n : 0;
}

/* subjectKeyIdentifier, or the SHA-1 of the key bits that would be it. */
static char *
find_ski(const struct cert *c)
{
	ASN1_OCTET_STRING *ext;
	uint8_t md[20];
	char *s = NULL;
	size_t n;

	ext = X509_get_ext_d2i(c->x, NID_subject_key_identifier, NULL, NULL);
	why_clear();
	if (ext != NULL) {
		n = (size_t)ASN1_STRING_length(ext);
		if ((s = OPENSSL_malloc(2 * n + 1)) != NULL)
			rec_hex(s, ASN1_STRING_get0_data(ext), n);
		ASN1_OCTET_STRING_free(ext);
		return s;
	}
	if ((s = OPENSSL_malloc(2 * sizeof(md) + 1)) != NULL &&
	    EVP_Digest(c->key, c->keylen, md, NULL, EVP_sha1(), NULL))
		rec_hex(s, md, sizeof(md));
	return s;
}

static int
not_der(struct why *w)
{
	return why_set(w, "certificate",
	    "not a DER certificate (RFC 5280 section 4.1)");
}

/* Where the serial number is, and the SubjectPublicKeyInfo up to *after. */
static int
outline(const struct cert *c, const uint8_t **serial, const uint8_t **spki,
    const uint8_t **after)
{
	const uint8_t *p = c->der, *end = c->der + c->len, *q;

	/* Certificate, tbsCertificate, version: RFC 5280 section 4.1 */
	q = p;
	if (!tlv_step(&q, end, TLV_SEQ, 1) || q != end ||
	    !tlv_step(&p, end, TLV_SEQ, 0) || !tlv_step(&p, end, TLV_SEQ, 0))
		return 0;
	q = p;
	if (tlv_step(&q, end, TLV_0, 1))
		p = q;
	*serial = p;
	if (!tlv_step(&p, end, TLV_INT, 1) || !tlv_step(&p, end, TLV_SEQ, 1) ||
	    !tlv_step(&p, end, TLV_SEQ, 1) || !tlv_step(&p, end, TLV_SEQ, 1) ||
	    !tlv_step(&p, end, TLV_SEQ, 1))
		return 0;
	*spki = p;
	*after = p;
	return tlv_step(after, end, TLV_SEQ, 1);
}

/* What its bytes say, unparsed. */
static int
glance(struct cert *c)
{
	const uint8_t *serial, *spki, *after;
	ASN1_INTEGER *number;

	if (!outline(c, &serial, &spki, &after))
		return 0;
	number = d2i_ASN1_INTEGER(NULL, &serial, spki - serial);
	c->serial = number == NULL ? NULL : hex_of(number);
	ASN1_INTEGER_free(number);
	return c->serial != NULL &&
	    EVP_Digest(spki, (size_t)(after - spki), c->spki, NULL,
		EVP_sha256(), NULL) &&
	    EVP_Digest(c->der, c->len, c->sha1, NULL, EVP_sha1(), NULL) &&
	    EVP_Digest(c->der, c->len, c->sha256, NULL, EVP_sha256(), NULL);
}

int
cert_glance(struct cert **out, const uint8_t *der, size_t len, struct why *w)
{
	struct cert *c;

	if ((c = OPENSSL_zalloc(sizeof(*c))) == NULL ||
	    (c->der = OPENSSL_memdup(der, len)) == NULL)
		tool_nomem();
	c->len = len;
	if (glance(c)) {
		*out = c;
		return 1;
	}
	cert_free(c);
	return not_der(w);
}

int
cert_parse(struct cert *c, struct why *w)
{
	const uint8_t *p = c->der;

	c->x = X509_new_ex(null_context(), NULL);
	/* RFC 5280 section 4.1.2.1: v1(0), v2(1), v3(2) */
	if (c->x == NULL || d2i_X509(&c->x, &p, (long)c->len) == NULL ||
	    p != c->der + c->len || X509_get_version(c->x) < 0 ||
	    X509_get_version(c->x) > 2)
		return not_der(w);
	c->version = (int)X509_get_version(c->x) + 1;
	/* an algorithm that OpenSSL does not know: still a certificate */
	if (!pkey_public_id(X509_get_X509_PUBKEY(c->x), c->id, c->alg,
		&c->bits)) {
		memcpy(c->id, c->spki, sizeof(c->id));
		(void)snprintf(c->alg, sizeof(c->alg), "unknown");
	}
	why_clear();
	return 1;
}

int
cert_describe(struct cert *c, struct why *w)
{
	const X509_NAME *name = X509_get_subject_name(c->x);

	c->issuer = rfc2253(X509_get_issuer_name(c->x));
	c->subject = rfc2253(name);
	put_time(c->not_before, X509_get0_notBefore(c->x));
	put_time(c->not_after, X509_get0_notAfter(c->x));
	c->cn = last_of(name, NID_commonName);
	c->ou = last_of(name, NID_organizationalUnitName);
	c->org = last_of(name, NID_organizationName);
	c->mail = last_of(name, NID_pkcs9_emailAddress);
	c->upn = OPENSSL_strdup("");
	read_san(c);
	c->use = find_use(c);
	c->ca = is_ca(c);
	copy_key(c);
	c->ski = find_ski(c);
	return (c->issuer != NULL && c->subject != NULL) || not_der(w);
}

int
cert_new(struct cert **out, const uint8_t *der, size_t len, struct why *w)
{
	if (!cert_glance(out, der, len, w))
		return 0;
	if (cert_parse(*out, w) && cert_describe(*out, w))
		return 1;
	cert_free(*out);
	*out = NULL;
	return 0;
}

void
cert_free(struct cert *c)
{
	if (c == NULL)
		return;
	X509_free(c->x);
	OPENSSL_free(c->der);
	OPENSSL_free(c->key);
	OPENSSL_free(c->params);
	OPENSSL_free(c->issuer);
	OPENSSL_free(c->subject);
	OPENSSL_free(c->serial);
	OPENSSL_free(c->cn);
	OPENSSL_free(c->ou);
	OPENSSL_free(c->org);
	OPENSSL_free(c->upn);
	OPENSSL_free(c->mail);
	OPENSSL_free(c->ski);
	OPENSSL_free(c);
}

void
cert_put_names(struct rec_out *o, const struct cert *c)
{
	rec_puts(o, "serial", c->serial);
	rec_puts(o, "issuer", c->issuer);
	rec_puts(o, "subject", c->subject);
	rec_puts(o, "not_before", c->not_before);
	rec_puts(o, "not_after", c->not_after);
}

/* The strings that it owns; put, or where to put them. */
#define STRINGS(c) \
	{ \
		&(c)->issuer, &(c)->subject, &(c)->serial, &(c)->cn, &(c)->ou, \
		    &(c)->org, &(c)->upn, &(c)->mail, &(c)->ski \
	}

void
cert_pack(const struct cert *c, struct flat *f)
{
	char *const *const all[] = STRINGS(c);
	size_t i;

	flat_add(f, c, sizeof(*c));
	flat_add_bytes(f, c->der, c->len);
	flat_add_bytes(f, c->key, c->keylen);
	flat_add_bytes(f, c->params, c->paramslen);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		flat_add_str(f, *all[i]);
}

struct cert *
cert_unpack(struct flat *f)
{
	struct cert *c = OPENSSL_memdup(flat_next(f, sizeof(*c)), sizeof(*c));
	char **all[] = STRINGS(c);
	size_t i;

	if (c == NULL)
		tool_nomem();
	c->x = NULL;
	c->der = flat_dup(f, &c->len);
	c->key = flat_dup(f, &c->keylen);
	c->params = flat_dup(f, &c->paramslen);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = flat_strdup(f);
	return c;
}

X509 *
cert_x509(const struct cert *c)
{
	const uint8_t *p = c->der;

	return d2i_X509(NULL, &p, (long)c->len);
}

/*
 * The signature of the certificate and what it covers, the bytes as they came.
 * Returns the hash it uses with RSA PKCS#1 v1.5, or NULL: some other kind.
 */
static const EVP_MD *
rsa_signature(const struct cert *c, const ASN1_BIT_STRING **sig,
    const uint8_t **tbs, size_t *n)
{
	const X509_ALGOR *alg;
	const ASN1_OBJECT *oid;
	const uint8_t *p = c->der, *end = c->der + c->len;
	int md, kind;

	X509_get0_signature(sig, &alg, c->x);
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if (!OBJ_find_sigid_algs(OBJ_obj2nid(oid), &md, &kind) ||
	    kind != NID_rsaEncryption || ((*sig)->flags & 7) != 0 ||
	    X509_ALGOR_cmp(alg, X509_get0_tbs_sigalg(c->x)) != 0)
		return NULL;
	/* SEQUENCE { tbsCertificate SEQUENCE, ... } */
	if (!tlv_step(&p, end, TLV_SEQ, 0))
		return NULL;
	*tbs = p;
	if (!tlv_step(&p, end, TLV_SEQ, 1))
		return NULL;
	*n = (size_t)(p - *tbs);
	return EVP_get_digestbynid(md);
}

int
cert_is_of(const struct cert *c, const X509 *ca)
{
	EVP_PKEY *key = X509_get0_pubkey(ca);
	const ASN1_BIT_STRING *sig;
	const uint8_t *tbs;
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	X509 *x;
	size_t n;
	int rc;

	if (X509_NAME_cmp(X509_get_subject_name(ca),
		X509_get_issuer_name(c->x)) != 0)
		return 0;
	md = rsa_signature(c, &sig, &tbs, &n);
	if (md != NULL && EVP_PKEY_is_a(key, "RSA")) {
		if ((ctx = EVP_MD_CTX_new()) == NULL)
			tool_nomem();
		rc = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, sig->data, (size_t)sig->length, tbs,
			n) == 1;
		EVP_MD_CTX_free(ctx);
	} else {
		x = cert_x509(c);
		rc = x != NULL && X509_verify(x, key) == 1;
		X509_free(x);
	}
	why_clear();
	return rc;
}
