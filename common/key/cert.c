#include "key/cert.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/digest.h"
#include "base/encode.h"
#include "base/heap.h"
#include "base/text.h"
#include "key/spki.h"

#define OID_UPN "1.3.6.1.4.1.311.20.2.3" /* [MS-WCCE], UPN otherName */

/* Returns an ASN.1 string as OPENSSL memory of UTF-8; "" if none or a NUL. */
static char *
utf8(const ASN1_STRING *s)
{
	unsigned char *u = NULL;
	int n;

	n = s == NULL ? -1 : ASN1_STRING_to_UTF8(&u, s);
	if (n >= 0 && strlen((char *)u) == (size_t)n)
		return (char *)u;
	OPENSSL_free(u);
	reason_clear();
	return OPENSSL_strdup("");
}

static char *
rfc2253(const X509_NAME *name)
{
	static BIO *bio;
	char *data, *s = NULL;
	long n;

	if (bio == NULL && (bio = BIO_new(BIO_s_mem())) == NULL)
		heap_nomem();
	if (X509_NAME_print_ex(bio, name, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &data);
		s = OPENSSL_strndup(n > 0 ? data : "", (size_t)n);
	}
	(void)BIO_reset(bio);
	return s;
}

/* Reads the last attribute of each kind: Exchange's most specific one. */
static void
read_attributes(struct cert *c, const X509_NAME *name)
{
	const ASN1_STRING *cn = NULL, *ou = NULL, *org = NULL, *mail = NULL, *v;
	const X509_NAME_ENTRY *e;
	int i;

	for (i = 0; i < X509_NAME_entry_count(name); i++) {
		e = X509_NAME_get_entry(name, i);
		v = X509_NAME_ENTRY_get_data(e);
		switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(e))) {
		case NID_commonName:
			cn = v;
			break;
		case NID_organizationalUnitName:
			ou = v;
			break;
		case NID_organizationName:
			org = v;
			break;
		case NID_pkcs9_emailAddress:
			mail = v;
			break;
		}
	}
	c->cn = utf8(cn);
	c->ou = utf8(ou);
	c->org = utf8(org);
	c->mail = utf8(mail);
}

/* Steps over a Time and writes it; an impossible one stays empty. */
static int
put_time(char dst[24], const uint8_t **p, const uint8_t *end)
{
	ASN1_TIME *t = d2i_ASN1_TIME(NULL, p, end - *p);
	struct tm tm;
	int rc = t != NULL;

	dst[0] = '\0';
	if (rc && ASN1_TIME_to_tm(t, &tm))
		(void)encode_time(dst, &tm);
	ASN1_TIME_free(t);
	reason_clear();
	return rc;
}

/* Returns a serial number as BN_bn2hex() does, in lower case, or NULL. */
static char *
serial_of(const struct tlv_part *part)
{
	ASN1_INTEGER *n;
	BIGNUM *bn;
	char *hex, *p;

	n = tlv_item(part->p, part->n, ASN1_ITEM_rptr(ASN1_INTEGER));
	bn = n == NULL ? NULL : ASN1_INTEGER_to_BN(n, NULL);
	hex = bn == NULL ? NULL : BN_bn2hex(bn);
	for (p = hex; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			*p += 'a' - 'A';
	BN_free(bn);
	ASN1_INTEGER_free(n);
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

static void *
read_part(const struct tlv_part *part, const ASN1_ITEM *it)
{
	return part->n == 0 ? NULL : tlv_item(part->p, part->n, it);
}

static int
is_part(const struct tlv_part *part, const ASN1_ITEM *it)
{
	ASN1_VALUE *v = read_part(part, it);

	ASN1_item_free(v, it);
	return v != NULL;
}

/*
 * Returns the extension of this kind, for the caller to free.  Returns NULL if
 * it is not there, does not parse, or came twice (RFC 5280 section 4.2).
 */
static void *
extension(const X509_EXTENSIONS *x, int nid, const ASN1_ITEM *it)
{
	int i = X509v3_get_ext_by_NID(x, nid, -1);
	const ASN1_OCTET_STRING *der;

	if (i < 0 || X509v3_get_ext_by_NID(x, nid, i) >= 0)
		return NULL;
	der = X509_EXTENSION_get_data(X509v3_get_ext(x, i));
	return tlv_item(ASN1_STRING_get0_data(der),
	    (size_t)ASN1_STRING_length(der), it);
}

/* Reads rfc822Name and UPN of subjectAltName; the first mail address counts. */
static void
read_san(struct cert *c, const X509_EXTENSIONS *x)
{
	GENERAL_NAMES *san = extension(x, NID_subject_alt_name,
	    ASN1_ITEM_rptr(GENERAL_NAMES));
	GENERAL_NAME *g;
	char oid[64];
	int i;

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
	reason_clear();
}

/*
 * Restores UTF-8 in a mail address.  An IA5String has ASCII only; other letters
 * in one are Latin-1 to OpenSSL.  The archive keeps both: its columns are what
 * they were in each version.
 */
static char *
address(const char *mail)
{
	size_t i, len, n = 0, all = strlen(mail);
	char *s = OPENSSL_malloc(all + 1);
	uint32_t cp;

	if (s == NULL)
		heap_nomem();
	for (i = 0; i < all; i += len) {
		len = text_decode(mail + i, all - i, &cp);
		if (len == 0 || cp > 0xff)
			break;
		s[n++] = (char)cp;
	}
	s[n] = '\0';
	if (i == all && text_utf8(s, n))
		return s;
	return memcpy(s, mail, all + 1);
}

/* Reads the use from RFC 5280 section 4.2.1.3, or from the algorithm. */
static const char *
find_use(const struct cert *c, const X509_EXTENSIONS *x)
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
	ku = extension(x, NID_key_usage, ASN1_ITEM_rptr(ASN1_BIT_STRING));
	if (ku == NULL) {
		reason_clear();
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
is_ca(const X509_EXTENSIONS *x)
{
	BASIC_CONSTRAINTS *bc = extension(x, NID_basic_constraints,
	    ASN1_ITEM_rptr(BASIC_CONSTRAINTS));
	int ca = bc != NULL && bc->ca;

	BASIC_CONSTRAINTS_free(bc);
	reason_clear();
	return ca;
}

/*
 * Reads algorithm, bits and identity of the public key; OpenSSL need not know
 * the algorithm.  Returns 1, or 0 if it does not parse.
 */
static int
read_key(struct cert *c, int id)
{
	struct spki *s = spki_new(&c->spki_part);
	int n;

	if (s == NULL)
		return 0;
	if (!spki_id(s, id ? c->id : NULL, c->alg, &c->bits)) {
		memcpy(c->id, c->spki, sizeof(c->id));
		(void)snprintf(c->alg, sizeof(c->alg), "unknown");
	}
	c->keylen = (size_t)ASN1_STRING_length(s->key);
	if (c->keylen > 0 &&
	    (c->key = OPENSSL_memdup(ASN1_STRING_get0_data(s->key),
		 c->keylen)) == NULL)
		heap_nomem();
	(void)OBJ_obj2txt(c->oid, sizeof(c->oid), s->alg->algorithm, 1);
	n = s->alg->parameter == NULL ?
	    0 :
	    i2d_ASN1_TYPE(s->alg->parameter, &c->params);
	c->paramslen = n > 0 ? (size_t)n : 0;
	spki_free(s);
	reason_clear();
	return 1;
}

/* Reads subjectKeyIdentifier, or computes it as the SHA-1 of the key bits. */
static char *
find_ski(const struct cert *c, const X509_EXTENSIONS *x)
{
	ASN1_OCTET_STRING *ski = extension(x, NID_subject_key_identifier,
	    ASN1_ITEM_rptr(ASN1_OCTET_STRING));
	size_t n = ski == NULL ? 20 : (size_t)ASN1_STRING_length(ski);
	uint8_t md[20];
	char *s = OPENSSL_malloc(2 * n + 1);

	if (s == NULL)
		heap_nomem();
	digest_sha1(md, c->key, c->keylen);
	(void)encode_hex(s, ski == NULL ? md : ASN1_STRING_get0_data(ski), n);
	ASN1_OCTET_STRING_free(ski);
	return s;
}

static int
not_der(struct reason *w)
{
	return reason_set(w, "certificate",
	    "not a DER certificate (RFC 5280 section 4.1)");
}

/* Reads the version: v1(0) if it is missing, or INTEGER v2(1) or v3(2). */
static int
read_version(struct cert *c, const struct tlv_part *v)
{
	c->version = v->n == 0 ? 1 : v->n == 5 ? v->p[4] + 1 : 0;
	return c->version >= 1 && c->version <= 3 &&
	    (v->n == 0 || memcmp(v->p, "\xa0\x03\x02\x01", 4) == 0);
}

/* Steps over a UniqueIdentifier, a BIT STRING, if it is there. */
static int
skip_id(const uint8_t **p, const uint8_t *end, int tag, int class)
{
	const uint8_t *q = *p;

	return !tlv_step(&q, end, tag, class, 0) ||
	    (tlv_step(p, end, tag, class, 1) && q < *p && *q < 8);
}

/* Finds the parts: RFC 5280 section 4.1. */
static int
outline(struct cert *c, struct tlv_part *serial)
{
	const uint8_t *p = c->der, *end = c->der + c->len, *last;
	struct tlv_part whole, version = { NULL, 0 };

	if (!tlv_part(&whole, &p, end, TLV_SEQ) || p != end)
		return 0;
	p = c->der;
	if (!tlv_step(&p, end, TLV_SEQ, 0) ||
	    !tlv_part(&c->tbs_part, &p, end, TLV_SEQ) ||
	    !tlv_part(&c->alg_part, &p, end, TLV_SEQ) ||
	    !tlv_part(&c->sig_part, &p, end, TLV_BITS) || p != end)
		return 0;
	p = c->tbs_part.p;
	last = p + c->tbs_part.n;
	if (!tlv_step(&p, last, TLV_SEQ, 0))
		return 0;
	(void)tlv_part(&version, &p, last, TLV_0);
	if (!read_version(c, &version) ||
	    !tlv_part(serial, &p, last, TLV_INT) ||
	    !tlv_part(&c->tbs_alg_part, &p, last, TLV_SEQ) ||
	    !tlv_part(&c->issuer_part, &p, last, TLV_SEQ) ||
	    !tlv_part(&c->validity_part, &p, last, TLV_SEQ) ||
	    !tlv_part(&c->subject_part, &p, last, TLV_SEQ) ||
	    !tlv_part(&c->spki_part, &p, last, TLV_SEQ))
		return 0;
	/* issuerUniqueID, subjectUniqueID */
	if (!skip_id(&p, last, TLV_1) || !skip_id(&p, last, TLV_2))
		return 0;
	(void)tlv_part(&c->ext_part, &p, last, TLV_3);
	return p == last;
}

/* Reads what takes no parser. */
static int
glance(struct cert *c)
{
	struct tlv_part serial;

	if (!outline(c, &serial))
		return 0;
	c->serial = serial_of(&serial);
	digest_sha256(c->spki, c->spki_part.p, c->spki_part.n);
	digest_sha1(c->sha1, c->der, c->len);
	digest_sha256(c->sha256, c->der, c->len);
	return c->serial != NULL;
}

int
cert_glance(struct cert **out, const uint8_t *der, size_t len, struct reason *w)
{
	struct cert *c;

	if ((c = OPENSSL_zalloc(sizeof(*c))) == NULL ||
	    (c->der = OPENSSL_memdup(der, len)) == NULL)
		heap_nomem();
	c->len = len;
	if (glance(c)) {
		*out = c;
		return 1;
	}
	cert_free(c);
	return not_der(w);
}

/* The last issuer, since many certificates share one. */
struct issuer {
	uint8_t *der;
	size_t n;
	X509_NAME *name;
	char *text;
};

/* Returns the issuer, borrowed, or NULL if it does not parse. */
static const struct issuer *
issuer_of0(const struct cert *c)
{
	static struct issuer last;
	const struct tlv_part *part = &c->issuer_part;

	if (last.text != NULL && last.n == part->n &&
	    memcmp(last.der, part->p, part->n) == 0)
		return &last;
	OPENSSL_free(last.der);
	X509_NAME_free(last.name);
	OPENSSL_free(last.text);
	last.text = NULL;
	last.n = part->n;
	if ((last.der = OPENSSL_memdup(part->p, part->n)) == NULL)
		heap_nomem();
	if ((last.name = read_part(part, ASN1_ITEM_rptr(X509_NAME))) != NULL)
		last.text = rfc2253(last.name);
	return last.text == NULL ? NULL : &last;
}

/* Reads the names.  Returns 1, or 0 if they do not parse. */
static int
read_names(struct cert *c)
{
	const struct issuer *issuer = issuer_of0(c);
	X509_NAME *name = read_part(&c->subject_part,
	    ASN1_ITEM_rptr(X509_NAME));

	if (name != NULL) {
		c->subject = rfc2253(name);
		read_attributes(c, name);
		X509_NAME_free(name);
	}
	if (issuer != NULL)
		c->issuer = OPENSSL_strdup(issuer->text);
	return c->issuer != NULL && c->subject != NULL;
}

/* Reads the two times.  Returns 1, or 0 if they are not two. */
static int
read_validity(struct cert *c)
{
	const uint8_t *p = c->validity_part.p, *end = p + c->validity_part.n;

	return tlv_step(&p, end, TLV_SEQ, 0) &&
	    put_time(c->not_before, &p, end) &&
	    put_time(c->not_after, &p, end) && p == end;
}

/* Reads the extensions.  Returns 1, or 0 if they do not parse. */
static int
read_extensions(struct cert *c)
{
	const uint8_t *p = c->ext_part.p, *end;
	X509_EXTENSIONS *x = NULL;

	if (c->ext_part.n != 0) {
		end = p + c->ext_part.n;
		if (!tlv_into(&p, end, TLV_3) ||
		    (x = tlv_item(p, (size_t)(end - p),
			 ASN1_ITEM_rptr(X509_EXTENSIONS))) == NULL)
			return 0;
	}
	c->upn = OPENSSL_strdup("");
	read_san(c, x);
	c->address = address(c->mail);
	c->use = find_use(c, x);
	c->ca = is_ca(x);
	c->ski = find_ski(c, x);
	sk_X509_EXTENSION_pop_free(x, X509_EXTENSION_free);
	return 1;
}

/* Checks that cert_x509() will take the signature of what is archived. */
static int
check_signature(const struct cert *c)
{
	const uint8_t *p = c->sig_part.p, *end = p + c->sig_part.n;

	return is_part(&c->alg_part, ASN1_ITEM_rptr(X509_ALGOR)) &&
	    (tlv_same(&c->tbs_alg_part, &c->alg_part) ||
		is_part(&c->tbs_alg_part, ASN1_ITEM_rptr(X509_ALGOR))) &&
	    tlv_into(&p, end, TLV_BITS) && p < end && *p < 8;
}

static int
describe(struct cert *c, int id, struct reason *w)
{
	int rc = read_names(c) && read_validity(c) && read_key(c, id) &&
	    read_extensions(c) && check_signature(c);

	reason_clear();
	return rc || not_der(w);
}

int
cert_describe(struct cert *c, struct reason *w)
{
	return describe(c, 0, w);
}

int
cert_new(struct cert **out, const uint8_t *der, size_t len, struct reason *w)
{
	if (!cert_glance(out, der, len, w))
		return 0;
	if (describe(*out, 1, w))
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
	OPENSSL_free(c->address);
	OPENSSL_free(c->ski);
	OPENSSL_free(c);
}

int
cert_of_x509(struct cert **out, X509 *x, struct reason *w)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der), rc;

	if (n <= 0)
		heap_nomem();
	rc = cert_new(out, der, (size_t)n, w);
	OPENSSL_free(der);
	return rc;
}

X509 *
cert_x509(const struct cert *c)
{
	const uint8_t *p = c->der;

	return d2i_X509(NULL, &p, (long)c->len);
}

/*
 * Returns the hash of its RSA PKCS#1 v1.5 signature, and the signature.
 * Returns NULL if it is signed otherwise, or its two algorithms differ.
 */
static const EVP_MD *
rsa_signature(const struct cert *c, const uint8_t **sig, size_t *n)
{
	const uint8_t *p = c->alg_part.p, *end = p + c->alg_part.n;
	ASN1_OBJECT *oid;
	int md = NID_undef, kind = NID_undef;

	if (!tlv_step(&p, end, TLV_SEQ, 0) ||
	    (oid = d2i_ASN1_OBJECT(NULL, &p, end - p)) == NULL)
		return NULL;
	(void)OBJ_find_sigid_algs(OBJ_obj2nid(oid), &md, &kind);
	ASN1_OBJECT_free(oid);
	p = c->sig_part.p;
	end = p + c->sig_part.n;
	if (kind != NID_rsaEncryption ||
	    !tlv_same(&c->tbs_alg_part, &c->alg_part) ||
	    !tlv_step(&p, end, TLV_BITS, 0) || p == end || *p != 0)
		return NULL;
	*sig = p + 1;
	*n = (size_t)(end - *sig);
	return EVP_get_digestbynid(md);
}

int
cert_is_of(const struct cert *c, const X509 *ca)
{
	const struct issuer *issuer = issuer_of0(c);
	EVP_PKEY *key = X509_get0_pubkey(ca);
	const uint8_t *sig;
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	X509 *x;
	size_t n;
	int rc;

	if (issuer == NULL ||
	    X509_NAME_cmp(X509_get_subject_name(ca), issuer->name) != 0)
		return 0;
	md = rsa_signature(c, &sig, &n);
	if (md != NULL && EVP_PKEY_is_a(key, "RSA")) {
		if ((ctx = EVP_MD_CTX_new()) == NULL)
			heap_nomem();
		rc = EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, sig, n, c->tbs_part.p,
			c->tbs_part.n) == 1;
		EVP_MD_CTX_free(ctx);
	} else {
		x = cert_x509(c);
		rc = x != NULL && X509_verify(x, key) == 1;
		X509_free(x);
	}
	reason_clear();
	return rc;
}
