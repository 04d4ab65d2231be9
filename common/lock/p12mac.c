#include "lock/p12mac.h"

#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/fuzzing.h"
#include "base/heap.h"
#include "lock/budget.h"
#include "lock/kdf.h"
#include "lock/pbe.h"

#define KEY_MIN 20 /* RFC 9579 section 5, bytes */

/* clang-format off */

/* MacData of RFC 7292 section 4, PBMAC1-params of RFC 8018 appendix A.5. */
typedef struct p12mac_data {
	X509_SIG *mac;
	ASN1_OCTET_STRING *salt;
	ASN1_INTEGER *rounds;
} MAC_DATA;

ASN1_SEQUENCE(MAC_DATA) = {
	ASN1_SIMPLE(MAC_DATA, mac, X509_SIG),
	ASN1_SIMPLE(MAC_DATA, salt, ASN1_OCTET_STRING),
	ASN1_OPT(MAC_DATA, rounds, ASN1_INTEGER)
} static_ASN1_SEQUENCE_END(MAC_DATA);

typedef struct pbmac1 {
	X509_ALGOR *kdf, *mac;
} PBMAC1;

ASN1_SEQUENCE(PBMAC1) = {
	ASN1_SIMPLE(PBMAC1, kdf, X509_ALGOR),
	ASN1_SIMPLE(PBMAC1, mac, X509_ALGOR)
} static_ASN1_SEQUENCE_END(PBMAC1);

/* clang-format on */

struct p12mac {
	MAC_DATA *data;
	const ASN1_OCTET_STRING *content, *want;
	const EVP_MD *md;
	PBKDF2PARAM *pb; /* PBMAC1; NULL: RFC 7292 appendix B */
	const EVP_MD *prf; /* of it */
	int64_t rounds; /* of each check */
	int keylen;
};

/* Reads the parameters of PBMAC1.  Returns 1, or 0 with *w. */
static int
open_pbmac1(struct p12mac *m, const X509_ALGOR *alg, struct reason *w)
{
	PBMAC1 *p = pbe_parameters(alg, ASN1_ITEM_rptr(PBMAC1));
	char kdf[192], name[192];
	int rc = 0;

	if (p == NULL)
		return reason_set(w, "damaged",
		    "no PBMAC1 parameters (RFC 9579 section 4)");
	if (!pbe_pbkdf2(p->kdf, 0, w)) /* p12mac_check() derives */
		goto out;
	m->pb = pbe_parameters(p->kdf, ASN1_ITEM_rptr(PBKDF2PARAM));
	m->md = pbe_prf(p->mac);
	m->prf = pbe_prf(m->pb->prf);
	if (m->md == NULL || m->prf == NULL) {
		reason_set(w, "unsupported",
		    "integrity check by PBMAC1 of %s and %s, which OpenSSL "
		    "does not have",
		    pbe_name(kdf, m->pb->prf == NULL ? p->kdf : m->pb->prf),
		    pbe_name(name, p->mac));
		goto out;
	}
	if (m->pb->keylength != NULL)
		m->keylen = (int)ASN1_INTEGER_get(m->pb->keylength);
	if (m->pb->salt->type != V_ASN1_OCTET_STRING || m->keylen < KEY_MIN) {
		reason_set(w, "damaged",
		    "PBMAC1 without a salt, or with a key of less than %d "
		    "bytes (RFC 9579 section 5)",
		    KEY_MIN);
		goto out;
	}
	rc = ASN1_INTEGER_get_int64(&m->rounds, m->pb->iter);
out:
	ASN1_item_free((ASN1_VALUE *)p, ASN1_ITEM_rptr(PBMAC1));
	return rc;
}

/* Reads those of the HMAC of RFC 7292 appendix B.  Returns 1, or 0 with *w. */
static int
open_hmac(struct p12mac *m, const X509_ALGOR *alg, struct reason *w)
{
	const ASN1_OBJECT *oid;
	char name[192];

	m->rounds = 1;
	if (m->data->rounds != NULL &&
	    (!budget_rounds(m->data->rounds, NULL, 0, w) ||
		!ASN1_INTEGER_get_int64(&m->rounds, m->data->rounds)))
		return 0;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	if ((m->md = EVP_get_digestbyobj(oid)) == NULL)
		return reason_set(w, "unsupported",
		    "integrity check by %s, which OpenSSL does not have",
		    pbe_name(name, alg));
	m->keylen = EVP_MD_get_size(m->md);
	return 1;
}

struct p12mac *
p12mac_new(const ASN1_TYPE *macdata, const ASN1_OCTET_STRING *content,
    struct reason *w)
{
	struct p12mac *m = OPENSSL_zalloc(sizeof(*m));
	const X509_ALGOR *alg;

	if (m == NULL)
		heap_nomem();
	m->content = content;
	m->data = macdata->type != V_ASN1_SEQUENCE ?
	    NULL :
	    ASN1_item_unpack(macdata->value.sequence, ASN1_ITEM_rptr(MAC_DATA));
	if (m->data == NULL) {
		reason_set(w, "unsupported",
		    "integrity check of a kind that cannot be read (RFC 7292 "
		    "section 4)");
	} else {
		X509_SIG_get0(m->data->mac, &alg, &m->want);
		if (pbe_nid(alg) == NID_pbmac1 ? open_pbmac1(m, alg, w) :
						 open_hmac(m, alg, w))
			return m;
	}
	p12mac_free(m);
	return NULL;
}

void
p12mac_free(struct p12mac *m)
{
	if (m == NULL)
		return;
	PBKDF2PARAM_free(m->pb);
	ASN1_item_free((ASN1_VALUE *)m->data, ASN1_ITEM_rptr(MAC_DATA));
	OPENSSL_free(m);
}

/* Returns the derivation of the HMAC's key from this password. */
static struct kdf
derivation(const struct p12mac *m, const struct passform *f, uint8_t *key)
{
	const ASN1_OCTET_STRING *salt = m->pb == NULL ?
	    m->data->salt :
	    m->pb->salt->value.octet_string;
	struct kdf k = { m->pb == NULL ? m->md : m->prf,
		m->pb == NULL ? f->bmp : f->raw, ASN1_STRING_get0_data(salt),
		m->pb == NULL ? f->nbmp : f->nraw,
		(size_t)ASN1_STRING_length(salt), m->rounds,
		m->pb == NULL ? PKCS12_MAC_ID : 0, key, (size_t)m->keylen };

	return k;
}

void
p12mac_ahead(struct ahead *a, const struct p12mac *m)
{
	struct kdf k = derivation(m, &a->form, NULL);

	if (m->pb == NULL ? a->form.has_bmp : a->form.has_raw)
		ahead_add(a, &k);
}

size_t
p12mac_width(const struct p12mac *m)
{
	return kdf_width(m->pb == NULL ? m->md : m->prf);
}

int
p12mac_check(const struct p12mac *m, const struct passform *f,
    const struct ahead *a, struct reason *w)
{
	uint8_t key[KDF_KEY_MAX], got[EVP_MAX_MD_SIZE];
	struct kdf k = derivation(m, f, key);
	int size = EVP_MD_get_size(m->pb == NULL ? m->md : m->prf), rc;
	unsigned n = 0;

	if (!(m->pb == NULL ? f->has_bmp : f->has_raw))
		return 0;
	if (!budget_spend((ASN1_STRING_length(m->content) +
			      ASN1_STRING_length(m->data->salt)) /
		    16,
		w) ||
	    !budget_derive(m->rounds * ((m->keylen + size - 1) / size),
		m->pb == NULL ? m->md : m->prf, w))
		return -1;
	rc = ahead_kdf(a, &k, 1) &&
	    HMAC(m->md, key, m->keylen, ASN1_STRING_get0_data(m->content),
		(size_t)ASN1_STRING_length(m->content), got, &n) != NULL &&
	    n == (unsigned)ASN1_STRING_length(m->want) &&
	    CRYPTO_memcmp(got, ASN1_STRING_get0_data(m->want), n) == 0;
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(got, sizeof(got));
	return rc || FUZZING;
}
