#include "file/p12.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "base/heap.h"
#include "key/private.h"
#include "key/tlv.h"
#include "lock/budget.h"
#include "lock/lanes.h"
#include "lock/p12mac.h"
#include "lock/passform.h"
#include "lock/pbe.h"

#define FILE_MIN     64 /* bytes; less holds no key */
#define FRIENDLY_MAX (64 * 1024) /* bytes; longer is left out */

/* clang-format off */

/*
 * PFX of RFC 7292 section 4: a template of our own, since OpenSSL's PKCS12
 * does not give away the bytes that the MAC covers.
 */
typedef struct pfx {
	ASN1_INTEGER *version;
	PKCS7 *authsafe;
	ASN1_TYPE *mac;
} PFX;

ASN1_SEQUENCE(PFX) = {
	ASN1_SIMPLE(PFX, version, ASN1_INTEGER),
	ASN1_SIMPLE(PFX, authsafe, PKCS7),
	ASN1_OPT(PFX, mac, ASN1_ANY)
} static_ASN1_SEQUENCE_END(PFX);

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
} static_ASN1_SEQUENCE_END(SAFE_BAG);

ASN1_ITEM_TEMPLATE(SAFE_BAGS) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, SAFE_BAGS, SAFE_BAG)
static_ASN1_ITEM_TEMPLATE_END(SAFE_BAGS);

typedef struct cert_bag {
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} CERT_BAG;

ASN1_SEQUENCE(CERT_BAG) = {
	ASN1_SIMPLE(CERT_BAG, type, ASN1_OBJECT),
	ASN1_EXP(CERT_BAG, value, ASN1_ANY, 0)
} static_ASN1_SEQUENCE_END(CERT_BAG);

/* clang-format on */

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

/* Returns the value of a bag or the like as a structure, or NULL. */
static void *
p12_value(const ASN1_TYPE *any, const ASN1_ITEM *it)
{
	if (any->type != V_ASN1_SEQUENCE)
		return NULL;
	return ASN1_item_unpack(any->value.sequence, it);
}

/*
 * Returns the content of an OCTET STRING, or NULL.  Bytes behind it become a
 * fault in *l, which may be NULL.
 */
static void *
p12_unpack(const ASN1_OCTET_STRING *s, const ASN1_ITEM *it, struct findings *l)
{
	const uint8_t *p = ASN1_STRING_get0_data(s);
	const uint8_t *end = p + ASN1_STRING_length(s);
	void *v = ASN1_item_d2i(NULL, &p, ASN1_STRING_length(s), it);
	struct reason w;

	if (v != NULL && p != end && l != NULL) {
		reason_set(&w, "damaged",
		    "%zu bytes behind the end of a part are not read: " FINDING_ANEW
		    " (RFC 7292 section 4)",
		    (size_t)(end - p));
		findings_add_fault(l, &w);
	}
	return v;
}

/* Returns the friendlyName attribute, or NULL; skips bad attributes. */
static X509_ATTRIBUTE *
p12_name_attr(const SAFE_BAG *bag)
{
	STACK_OF(ASN1_TYPE) *all = NULL;
	X509_ATTRIBUTE *a = NULL;
	int i;

	if (bag->attrs != NULL && bag->attrs->type == V_ASN1_SET)
		all = ASN1_item_unpack(bag->attrs->value.set,
		    ASN1_ITEM_rptr(ASN1_SET_ANY));
	for (i = 0; i < sk_ASN1_TYPE_num(all) && a == NULL; i++) {
		a = p12_value(sk_ASN1_TYPE_value(all, i),
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
 * Converts UTF-16BE to UTF-8.  OPENSSL_uni2utf8() loses a last character of
 * three bytes that no U+0000 follows.
 */
static char *
p12_utf8(const ASN1_BMPSTRING *bmp)
{
	int n = ASN1_STRING_length(bmp);
	unsigned char *uni = OPENSSL_zalloc((size_t)n + 2);
	char *s = NULL;

	if (uni != NULL) {
		memcpy(uni, ASN1_STRING_get0_data(bmp), (size_t)n);
		s = OPENSSL_uni2utf8(uni, n + 2);
	}
	OPENSSL_free(uni);
	return s;
}

/* Returns friendlyName as UTF-8, with NULs inside, or NULL if there is none. */
static char *
p12_friendly_name(const SAFE_BAG *bag, size_t *n)
{
	X509_ATTRIBUTE *a = p12_name_attr(bag);
	const ASN1_BMPSTRING *bmp;
	const uint8_t *p;
	char *s = NULL;
	int i;

	*n = 0;
	bmp = X509_ATTRIBUTE_get0_data(a, 0, V_ASN1_BMPSTRING, NULL);
	if (bmp != NULL)
		s = p12_utf8(bmp);
	if (s != NULL) {
		/* it has one string for each U+0000, one behind the other */
		*n = strlen(s);
		p = ASN1_STRING_get0_data(bmp);
		for (i = 0; i + 3 < ASN1_STRING_length(bmp); i += 2)
			if (p[i] == 0 && p[i + 1] == 0)
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

/* A file being read. */
struct p12 {
	const char *pass; /* the password that opened it, in the form of form */
	struct passform form;
	struct ahead *ahead; /* what was derived from that form; or NULL */
	struct secrets *secrets; /* a part may have another; NULL: none has */
	struct findings *out;
	int locked; /* parts that no password opened */
	int opened;
};

static void
p12_damaged(struct p12 *r, const char *what)
{
	struct reason w;

	reason_ssl(&w, "damaged",
	    "%s cannot be read: " FINDING_ANEW " (RFC 7292 section 4.2)", what);
	findings_add_fault(r->out, &w);
}

/* An encrypted structure being opened. */
struct p12_part {
	const char *what;
	const X509_ALGOR *alg;
	const ASN1_OCTET_STRING *data;
	const ASN1_ITEM *it; /* what it is */
	void *value; /* once it is open */
	int garbled; /* it decrypted to a wrong SEQUENCE */
	struct reason why; /* if no password can help */
};

/* Tries one form of a password.  Returns 0 to try others. */
static int
p12_part_try(struct p12_part *p, const struct passform *f,
    const struct ahead *a)
{
	uint8_t *clear;
	const uint8_t *q;
	size_t n;
	int rc;

	heap_check();
	rc = pbe_decrypt(p->alg, f, a, ASN1_STRING_get0_data(p->data),
	    (size_t)ASN1_STRING_length(p->data), &clear, &n, &p->why);
	if (rc != 1)
		return rc;
	q = clear;
	p->value = ASN1_item_d2i(NULL, &q, (long)n, p->it);
	if (p->value != NULL && q != clear + n) {
		ASN1_item_free(p->value, p->it);
		p->value = NULL;
	}
	/* one wrong password in 256 gives good padding, around noise */
	q = clear;
	p->garbled = p->value == NULL && tlv_step(&q, clear + n, TLV_SEQ, 1) &&
	    q == clear + n;
	OPENSSL_clear_free(clear, n);
	reason_clear();
	return p->value != NULL;
}

/* Tries what did not open the rest: other forms, then other passwords. */
static int
p12_part_search(struct p12 *r, struct p12_part *p)
{
	struct passform_tries t = { .secrets = r->secrets };
	struct passform f;
	int i, rc = 0;

	for (i = 0; rc == 0 && passform_of(&f, r->pass, i); i++)
		rc = p12_part_try(p, &f, NULL);
	while (rc == 0 && passform_next(&t, &f))
		rc = p12_part_try(p, &f, NULL);
	passform_wipe(&f);
	return rc;
}

/* Opens a structure.  Returns NULL after a fault that says why. */
static void *
p12_part_open(struct p12 *r, const char *what, const X509_ALGOR *alg,
    const ASN1_OCTET_STRING *data, const ASN1_ITEM *it)
{
	struct p12_part p = { what, alg, data, it, NULL, 0, { "", "" } };
	char name[192];
	int garbled, rc;

	rc = p12_part_try(&p, &r->form, r->ahead);
	garbled = p.garbled;
	if (rc == 0 && r->secrets != NULL)
		rc = p12_part_search(r, &p);
	if (rc == 1) {
		r->opened++;
		return p.value;
	}
	r->locked += rc == 0;
	if (rc == 0 && garbled && r->secrets != NULL) {
		p12_damaged(r, what);
		return NULL;
	}
	if (rc == 0)
		reason_set(&p.why, "password",
		    "%s encrypted with %s cannot be decrypted (a different "
		    "password, or damage): give its password with -p",
		    what, pbe_name(name, alg));
	findings_add_fault(r->out, &p.why);
	return NULL;
}

/* Adds a key, a PRIVATE_ANY, and frees it. */
static void
p12_add_key(struct p12 *r, void *key, const SAFE_BAG *bag)
{
	const ASN1_ITEM *it = ASN1_ITEM_rptr(PRIVATE_ANY);
	int n = key == NULL ? 0 : ASN1_item_i2d(key, NULL, it);
	uint8_t *p8, *p;
	char *name;
	size_t len;

	heap_check();
	if (n <= 0 || n > FINDING_BYTES_MAX) {
		if (n <= 0)
			p12_damaged(r, "a private key");
		else
			findings_add_large(r->out);
		ASN1_item_free(key, it);
		return;
	}
	if ((p8 = p = OPENSSL_secure_malloc((size_t)n)) != NULL)
		(void)ASN1_item_i2d(key, &p, it);
	ASN1_item_free(key, it);
	name = p12_friendly_name(bag, &len);
	if (p8 == NULL)
		heap_nomem();
	findings_add_key(r->out, p8, (size_t)n, name, len);
	OPENSSL_secure_clear_free(p8, (size_t)n);
}

static void
p12_read_shrouded(struct p12 *r, const SAFE_BAG *bag)
{
	X509_SIG *sig = p12_value(bag->value, ASN1_ITEM_rptr(X509_SIG));
	const ASN1_OCTET_STRING *data;
	const X509_ALGOR *alg;
	void *key;

	if (sig == NULL) {
		p12_damaged(r, "an encrypted key");
		return;
	}
	X509_SIG_get0(sig, &alg, &data);
	key = p12_part_open(r, "a key", alg, data, ASN1_ITEM_rptr(PRIVATE_ANY));
	if (key != NULL)
		p12_add_key(r, key, bag);
	X509_SIG_free(sig);
}

static void
p12_read_cert(struct p12 *r, const SAFE_BAG *bag)
{
	CERT_BAG *cb = p12_value(bag->value, ASN1_ITEM_rptr(CERT_BAG));
	const ASN1_OCTET_STRING *der;
	struct reason w;
	char *name;
	size_t len;

	if (cb == NULL) {
		p12_damaged(r, "a certificate bag");
	} else if (OBJ_obj2nid(cb->type) != NID_x509Certificate ||
	    cb->value->type != V_ASN1_OCTET_STRING) {
		reason_set(&w, "unsupported",
		    "certificate bag that is not X.509 (RFC 7292 section "
		    "4.2.3): export the file anew, with an X.509 certificate");
		findings_add_fault(r->out, &w);
	} else {
		der = cb->value->value.octet_string;
		name = p12_friendly_name(bag, &len);
		findings_add_cert(r->out, ASN1_STRING_get0_data(der),
		    (size_t)ASN1_STRING_length(der), name, len);
	}
	ASN1_item_free((ASN1_VALUE *)cb, ASN1_ITEM_rptr(CERT_BAG));
}

static void p12_read_bags(struct p12 *, const STACK_OF(SAFE_BAG) *, int);

static void
p12_free_bags(STACK_OF(SAFE_BAG) *bags)
{
	ASN1_item_free((ASN1_VALUE *)bags, ASN1_ITEM_rptr(SAFE_BAGS));
}

/* Reads SafeContents within SafeContents. */
static void
p12_read_nested(struct p12 *r, const SAFE_BAG *bag, int depth)
{
	STACK_OF(SAFE_BAG) *bags;
	struct reason w;

	if (depth == P12_DEPTH_MAX) {
		reason_set(&w, "ceiling",
		    "more than %d SafeContents in one another, the ceiling: "
		    "export the file anew",
		    P12_DEPTH_MAX);
		findings_add_fault(r->out, &w);
		return;
	}
	if ((bags = p12_value(bag->value, ASN1_ITEM_rptr(SAFE_BAGS))) == NULL)
		p12_damaged(r, "a SafeContents");
	p12_read_bags(r, bags, depth + 1);
	p12_free_bags(bags);
}

static void
p12_read_bags(struct p12 *r, const STACK_OF(SAFE_BAG) *bags, int depth)
{
	const SAFE_BAG *bag;
	struct reason w;
	char name[80];
	int i;

	for (i = 0; i < sk_SAFE_BAG_num(bags) && r->out->n <= FINDINGS_MAX;
	     i++) {
		bag = sk_SAFE_BAG_value(bags, i);
		switch (OBJ_obj2nid(bag->type)) {
		case NID_keyBag:
			p12_add_key(r,
			    p12_value(bag->value, ASN1_ITEM_rptr(PRIVATE_ANY)),
			    bag);
			break;
		case NID_pkcs8ShroudedKeyBag:
			p12_read_shrouded(r, bag);
			break;
		case NID_certBag:
			p12_read_cert(r, bag);
			break;
		case NID_safeContentsBag:
			p12_read_nested(r, bag, depth);
			break;
		case NID_crlBag:
		case NID_secretBag: /* hold no private key */
			break;
		default:
			OBJ_obj2txt(name, sizeof(name), bag->type, 1);
			reason_set(&w, "unsupported",
			    "a bag of the unknown type %s (RFC 7292 section "
			    "4.2): if it holds a key, export the file anew",
			    name);
			findings_add_fault(r->out, &w);
		}
	}
}

/* Reads an encrypted element of the AuthenticatedSafe. */
static void
p12_read_encrypted(struct p12 *r, const PKCS7_ENC_CONTENT *ec)
{
	STACK_OF(SAFE_BAG) *bags;

	if (ec->enc_data == NULL) {
		p12_damaged(r, "an encrypted part");
		return;
	}
	bags = p12_part_open(r, "a part", ec->algorithm, ec->enc_data,
	    ASN1_ITEM_rptr(SAFE_BAGS));
	if (bags == NULL)
		return;
	p12_read_bags(r, bags, 0);
	p12_free_bags(bags);
}

/* Reads an element of the AuthenticatedSafe. */
static void
p12_read_safe(struct p12 *r, PKCS7 *p7)
{
	STACK_OF(SAFE_BAG) *bags = NULL;
	struct reason w;

	if (PKCS7_type_is_encrypted(p7) && p7->d.encrypted != NULL &&
	    p7->d.encrypted->enc_data != NULL) {
		p12_read_encrypted(r, p7->d.encrypted->enc_data);
	} else if (PKCS7_type_is_data(p7)) {
		if (p7->d.data != NULL)
			bags = p12_unpack(p7->d.data, ASN1_ITEM_rptr(SAFE_BAGS),
			    r->out);
		if (bags == NULL)
			p12_damaged(r, "a part");
		p12_read_bags(r, bags, 0);
		p12_free_bags(bags);
	} else {
		reason_set(&w, "unsupported",
		    "part encrypted to a public key "
		    "(RFC 7292 section 4.1): decrypt it where it was made");
		findings_add_fault(r->out, &w);
	}
}

static void
p12_read_safes(struct p12 *r, const STACK_OF(ASN1_TYPE) *safes)
{
	PKCS7 *p7;
	int i;

	for (i = 0; i < sk_ASN1_TYPE_num(safes); i++) {
		p7 = p12_value(sk_ASN1_TYPE_value(safes, i),
		    ASN1_ITEM_rptr(PKCS7));
		if (p7 == NULL)
			p12_damaged(r, "a part");
		else
			p12_read_safe(r, p7);
		PKCS7_free(p7);
	}
}

/* Adds the derivations of the keys of a part. */
static void
p12_ahead_keys(struct ahead *a, const STACK_OF(SAFE_BAG) *bags)
{
	const ASN1_OCTET_STRING *data;
	const X509_ALGOR *alg;
	const SAFE_BAG *bag;
	X509_SIG *sig;
	int i;

	for (i = 0; i < sk_SAFE_BAG_num(bags) && i < AHEAD_DERIVATIONS; i++) {
		bag = sk_SAFE_BAG_value(bags, i);
		if (OBJ_obj2nid(bag->type) != NID_pkcs8ShroudedKeyBag)
			continue;
		sig = p12_value(bag->value, ASN1_ITEM_rptr(X509_SIG));
		if (sig != NULL) {
			X509_SIG_get0(sig, &alg, &data);
			pbe_ahead(a, alg);
		}
		X509_SIG_free(sig);
	}
}

/* Adds the derivations of the parts of a file. */
static void
p12_ahead_parts(struct ahead *a, const STACK_OF(ASN1_TYPE) *safes)
{
	STACK_OF(SAFE_BAG) *bags;
	PKCS7 *p7;
	int i;

	for (i = 0; i < sk_ASN1_TYPE_num(safes) && i < AHEAD_DERIVATIONS; i++) {
		p7 = p12_value(sk_ASN1_TYPE_value(safes, i),
		    ASN1_ITEM_rptr(PKCS7));
		if (p7 == NULL)
			continue;
		if (PKCS7_type_is_encrypted(p7) && p7->d.encrypted != NULL &&
		    p7->d.encrypted->enc_data != NULL)
			pbe_ahead(a, p7->d.encrypted->enc_data->algorithm);
		else if (PKCS7_type_is_data(p7) && p7->d.data != NULL) {
			bags = p12_unpack(p7->d.data, ASN1_ITEM_rptr(SAFE_BAGS),
			    NULL);
			p12_ahead_keys(a, bags);
			p12_free_bags(bags);
		}
		PKCS7_free(p7);
	}
	a->all = 1;
}

/*
 * 1: the first password opened the last file.  It will probably open the next
 * one, and then more than the MAC is needed.
 */
static int p12_likely = 1;

/*
 * Tries several next forms of a password on the MAC, side by side.  Returns 1
 * with the right one, 0, or -1 with *w; *more is 0 if there were none.
 */
static int
p12_try_macs(const struct p12mac *m, struct passform_tries *t, size_t most,
    struct ahead **right, int *more, struct reason *w)
{
	struct ahead *a[LANES_MOST];
	size_t n, i;
	int rc = 0;

	for (n = 0; n < most && (a[n] = ahead_new(t)) != NULL; n++)
		p12mac_ahead(a[n], m);
	ahead_derive(a, n);
	*more = n > 0;
	for (i = 0; i < n; i++) {
		if (rc == 0 &&
		    (rc = p12mac_check(m, &a[i]->form, a[i], w)) == 1)
			*right = a[i];
		else
			ahead_free(a[i]);
	}
	return rc;
}

/* Returns 1 if it was made for the password that is tried first. */
static int
p12_is_first(const struct ahead *a, const struct p12 *r)
{
	return a != NULL && a->tries.form == 0 && a->tries.i == 1 &&
	    a->tries.pass == secret_try(r->secrets, 0);
}

/*
 * Finds the password by the MAC, and derives what the safes need.  Returns 1,
 * or 0 with *w.
 */
static int
p12_unlock_mac(struct p12 *r, const struct p12mac *m,
    const STACK_OF(ASN1_TYPE) *safes, struct reason *w)
{
	struct passform_tries t = { .secrets = r->secrets };
	struct ahead *a = r->ahead;
	int rc = 0, more = 1;

	r->ahead = NULL;
	if (p12_is_first(a, r)) {
		t = a->tries;
		rc = p12mac_check(m, &a->form, a, w);
	}
	if (rc != 1) {
		ahead_free(a);
		a = NULL;
	}
	while (rc == 0 && more)
		rc = p12_try_macs(m, &t, t.i == 0 ? 1 : p12mac_width(m), &a,
		    &more, w);
	if (rc == 0)
		secret_wrong(r->secrets, "integrity check failed", w);
	p12_likely = rc == 1 && a->tries.i == 1 && a->tries.form == 0;
	if (rc != 1)
		return 0;
	r->ahead = a;
	r->form = a->form;
	r->pass = a->tries.pass;
	passform_worked(&a->tries);
	if (!a->all) {
		p12_ahead_parts(a, safes);
		ahead_derive(&a, 1);
	}
	return 1;
}

/*
 * Finds the password without a MAC: the one that opens something is right.  The
 * safes have size bytes.
 */
static int
p12_unlock_try(struct p12 *r, const STACK_OF(ASN1_TYPE) *safes, int size,
    struct reason *w)
{
	struct passform_tries t = { .secrets = r->secrets };
	struct findings got = { NULL, 0 };
	struct p12 one;

	memset(&one, 0, sizeof(one));
	while (passform_next(&t, &one.form)) {
		if (!budget_spend(64 + size / 16, w))
			return 0;
		one.out = &got;
		p12_read_safes(&one, safes);
		if (one.opened > 0 || one.locked == 0) {
			passform_wipe(&one.form);
			passform_worked(&t);
			*r->out = got;
			return 1;
		}
		one.locked = 0;
		findings_free(&got);
	}
	return secret_wrong(r->secrets,
	    "nothing in it opens, and it has no integrity check", w);
}

/* Returns the bytes of the AuthenticatedSafe, signed or not. */
static const ASN1_OCTET_STRING *
p12_authsafe(const PFX *pfx)
{
	PKCS7 *p7 = pfx->authsafe;

	if (PKCS7_type_is_signed(p7) && p7->d.sign != NULL)
		p7 = p7->d.sign->contents;
	return p7 != NULL && PKCS7_type_is_data(p7) ? p7->d.data : NULL;
}

/* Reads the contents of the PFX, whether its MAC can be checked here or not. */
static int
p12_read_pfx(struct p12 *r, const PFX *pfx, const ASN1_OCTET_STRING *content,
    const STACK_OF(ASN1_TYPE) *safes, struct reason *w)
{
	struct p12mac *m;
	struct reason other;
	int rc;

	if (pfx->mac == NULL)
		return p12_unlock_try(r, safes, ASN1_STRING_length(content), w);
	if ((m = p12mac_new(pfx->mac, content, w)) == NULL) {
		if (strcmp(w->reason, "unsupported") != 0 ||
		    !p12_unlock_try(r, safes, ASN1_STRING_length(content),
			&other))
			return 0;
		/* nobody has vouched for the rest, and that is worth a word */
		findings_add_fault(r->out, w);
		return 1;
	}
	if ((rc = p12_unlock_mac(r, m, safes, w)))
		p12_read_safes(r, safes);
	p12mac_free(m);
	return rc;
}

struct ahead *
p12_ahead(const uint8_t *der, size_t n, struct secrets *s)
{
	struct passform_tries t = { .secrets = s };
	PFX *pfx = p12_is(der, n) ?
	    (PFX *)ASN1_item_d2i(NULL, &der, (long)n, ASN1_ITEM_rptr(PFX)) :
	    NULL;
	const ASN1_OCTET_STRING *content = pfx == NULL ? NULL :
							 p12_authsafe(pfx);
	STACK_OF(ASN1_TYPE) *safes = NULL;
	struct p12mac *m = NULL;
	struct ahead *a = NULL;
	struct reason w;

	budget_next(KDF_WORK_MAX);
	if (content != NULL && budget_spend(0, &w) && pfx->mac != NULL &&
	    (m = p12mac_new(pfx->mac, content, &w)) != NULL &&
	    (a = ahead_new(&t)) != NULL) {
		p12mac_ahead(a, m);
		if (p12_likely)
			safes = p12_unpack(content,
			    ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY), NULL);
		if (safes != NULL)
			p12_ahead_parts(a, safes);
	}
	sk_ASN1_TYPE_pop_free(safes, ASN1_TYPE_free);
	p12mac_free(m);
	ASN1_item_free((ASN1_VALUE *)pfx, ASN1_ITEM_rptr(PFX));
	reason_clear();
	return a;
}

/*
 * Reads the PFX that *der begins with, and moves *der behind it; frees a.
 * Returns 1, or 0 with *w.
 */
static int
p12_read_one(const uint8_t **der, size_t n, struct secrets *s, struct ahead *a,
    struct findings *l, struct reason *w)
{
	STACK_OF(ASN1_TYPE) *safes = NULL;
	const ASN1_OCTET_STRING *content = NULL;
	struct findings behind = { NULL, 0 };
	struct p12 r = { .secrets = s, .ahead = a, .out = l };
	int like = p12_is(*der, n), rc = 0;
	PFX *pfx;

	pfx = (PFX *)ASN1_item_d2i(NULL, der, (long)n, ASN1_ITEM_rptr(PFX));
	if (pfx == NULL && !like) {
		reason_set(w, "format",
		    "not PKCS#12 (RFC 7292 section 4): kms-export reads other "
		    "formats");
		goto out;
	}
	if (pfx == NULL || ASN1_INTEGER_get(pfx->version) != 3) {
		reason_set(w, "damaged",
		    "not a whole PFX, version 3 (RFC 7292 section 4): fetch "
		    "the file again, it is cut or damaged");
		goto out;
	}
	if ((content = p12_authsafe(pfx)) != NULL)
		safes = p12_unpack(content, ASN1_ITEM_rptr(ASN1_SEQUENCE_ANY),
		    &behind);
	if (safes == NULL)
		reason_set(w, "damaged",
		    "no AuthenticatedSafe (RFC 7292 section 4.1): fetch the "
		    "file again, it is damaged");
	else
		rc = p12_read_pfx(&r, pfx, content, safes, w);
	if (rc)
		findings_move(l, &behind);
	findings_free(&behind);
out:
	ahead_free(r.ahead);
	passform_wipe(&r.form);
	sk_ASN1_TYPE_pop_free(safes, ASN1_TYPE_free);
	ASN1_item_free((ASN1_VALUE *)pfx, ASN1_ITEM_rptr(PFX));
	reason_clear();
	return rc;
}

int
p12_read(const uint8_t *der, size_t n, struct secrets *s, struct ahead *a,
    struct findings *l, struct reason *w)
{
	const uint8_t *p = der, *end = der + n;
	struct findings more = { NULL, 0 };
	struct reason behind;

	if (!p12_read_one(&p, n, s, a, l, w))
		return 0;
	/* files were padded to blocks, and put one behind the other */
	while (p12_is(p, (size_t)(end - p))) {
		if (!p12_read_one(&p, (size_t)(end - p), s, NULL, &more,
			&behind)) {
			findings_add_fault(l, &behind);
			return 1;
		}
		findings_move(l, &more);
	}
	while (p < end && (*p == 0 || *p == 0x1a || *p == '\r' || *p == '\n'))
		p++;
	if (end - p >= FILE_MIN) {
		reason_set(&behind, "format",
		    "%zu bytes behind the end of the PFX are not read: if they "
		    "are another file, feed it in by itself",
		    (size_t)(end - p));
		findings_add_fault(l, &behind);
	}
	return 1;
}
