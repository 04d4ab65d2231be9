#include "ca/archived_key.h"

#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/heap.h"
#include "ca/agent.h"

#define KEY   32 /* bytes of the content key: AES-256 */
#define BLOCK 16 /* of AES, and of its IV */

/* clang-format off */

/* KeyTransRecipientInfo of RFC 5652 section 6.2.1. */
typedef struct recipient {
	ASN1_TYPE *version, *id;
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *key;
} RECIPIENT;

DEFINE_STACK_OF(RECIPIENT)

ASN1_SEQUENCE(RECIPIENT) = {
	ASN1_SIMPLE(RECIPIENT, version, ASN1_ANY),
	ASN1_SIMPLE(RECIPIENT, id, ASN1_ANY),
	ASN1_SIMPLE(RECIPIENT, alg, X509_ALGOR),
	ASN1_SIMPLE(RECIPIENT, key, ASN1_OCTET_STRING)
} static_ASN1_SEQUENCE_END(RECIPIENT);

/* EncryptedContentInfo of section 6.1. */
typedef struct content {
	ASN1_OBJECT *type;
	X509_ALGOR *alg;
	ASN1_OCTET_STRING *data;
} CONTENT;

ASN1_SEQUENCE(CONTENT) = {
	ASN1_SIMPLE(CONTENT, type, ASN1_OBJECT),
	ASN1_SIMPLE(CONTENT, alg, X509_ALGOR),
	ASN1_IMP(CONTENT, data, ASN1_OCTET_STRING, 0)
} static_ASN1_SEQUENCE_END(CONTENT);

/* EnvelopedData of section 6.1, without attributes. */
typedef struct enveloped {
	ASN1_TYPE *version;
	STACK_OF(RECIPIENT) *recipients;
	CONTENT *content;
} ENVELOPED;

ASN1_SEQUENCE(ENVELOPED) = {
	ASN1_SIMPLE(ENVELOPED, version, ASN1_ANY),
	ASN1_SET_OF(ENVELOPED, recipients, RECIPIENT),
	ASN1_SIMPLE(ENVELOPED, content, CONTENT)
} static_ASN1_SEQUENCE_END(ENVELOPED);

/* ContentInfo of section 3. */
typedef struct message {
	ASN1_OBJECT *type;
	ENVELOPED *enveloped;
} MESSAGE;

ASN1_SEQUENCE(MESSAGE) = {
	ASN1_SIMPLE(MESSAGE, type, ASN1_OBJECT),
	ASN1_EXP(MESSAGE, enveloped, ENVELOPED, 0)
} static_ASN1_SEQUENCE_END(MESSAGE);

/* clang-format on */

/*
 * A message as DER.  Later ones, of a key of the same length to the same
 * agents, differ from it only in the locked bytes.
 */
struct made {
	uint8_t *der;
	size_t len, count, n; /* bytes of it, agents, bytes locked */
	size_t *at; /* where the key of each agent is, */
	size_t iv, content;
};

struct agent {
	EVP_PKEY_CTX *rsa;
	RECIPIENT *recipient;
	size_t at; /* of its key, in what is locked */
	struct made made; /* the last to those from this one on */
};

struct archived_key {
	STACK_OF(X509) *kras;
	MESSAGE *message; /* its recipients are borrowed */
	EVP_CIPHER *aes;
	struct agent *agent;
	size_t n, head; /* agents; bytes of what is locked, but the content */
	int halves;
};

/*
 * Makes OpenSSL's message for one agent.  Returns 1, or 0 if that has another
 * form: the agent has no RSA key.
 */
static int
model(struct agent *a, X509 *x, MESSAGE **message)
{
	STACK_OF(X509) *one = sk_X509_new_null();
	EVP_PKEY *key = X509_get0_pubkey(x);
	uint8_t *der = NULL;
	const uint8_t *p;
	struct reason w;
	size_t len;

	if (one == NULL || !sk_X509_push(one, x))
		heap_nomem();
	*message = NULL;
	if (agent_encrypt(one, (const uint8_t *)"", 1, &der, &len, &w)) {
		p = der;
		*message = (MESSAGE *)ASN1_item_d2i(NULL, &p, (long)len,
		    ASN1_ITEM_rptr(MESSAGE));
	}
	OPENSSL_free(der);
	sk_X509_free(one);
	reason_clear();
	if (*message == NULL)
		return 0;
	a->recipient = sk_RECIPIENT_pop((*message)->enveloped->recipients);
	a->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	return a->recipient != NULL && a->rsa != NULL &&
	    OBJ_obj2nid(a->recipient->alg->algorithm) == NID_rsaEncryption &&
	    ASN1_STRING_length(a->recipient->key) == EVP_PKEY_get_size(key) &&
	    EVP_PKEY_encrypt_init(a->rsa) == 1;
}

struct archived_key *
archived_key_new(STACK_OF(X509) *kras)
{
	struct archived_key *e = OPENSSL_zalloc(sizeof(*e));
	MESSAGE *message;
	size_t i;

	if (e == NULL)
		heap_nomem();
	e->kras = kras;
	e->n = (size_t)sk_X509_num(kras);
	e->aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	e->agent = OPENSSL_zalloc(e->n * sizeof(*e->agent));
	if (e->aes == NULL || (e->agent == NULL && e->n > 0))
		heap_nomem();
	e->halves = 1;
	e->head = BLOCK;
	for (i = 0; i < e->n && e->halves; i++) {
		e->halves = model(&e->agent[i], sk_X509_value(kras, (int)i),
		    &message);
		ASN1_item_free((ASN1_VALUE *)e->message,
		    ASN1_ITEM_rptr(MESSAGE));
		e->message = message;
		if (!e->halves)
			break;
		e->agent[i].at = e->head;
		e->head += (size_t)ASN1_STRING_length(
		    e->agent[i].recipient->key);
	}
	return e;
}

void
archived_key_free(struct archived_key *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->n; i++) {
		OPENSSL_free(e->agent[i].made.der);
		OPENSSL_free(e->agent[i].made.at);
		EVP_PKEY_CTX_free(e->agent[i].rsa);
		ASN1_item_free((ASN1_VALUE *)e->agent[i].recipient,
		    ASN1_ITEM_rptr(RECIPIENT));
	}
	ASN1_item_free((ASN1_VALUE *)e->message, ASN1_ITEM_rptr(MESSAGE));
	EVP_CIPHER_free(e->aes);
	OPENSSL_free(e->agent);
	OPENSSL_free(e);
}

int
archived_key_halves(const struct archived_key *e)
{
	return e->halves;
}

static size_t
key_size(const struct agent *a)
{
	return (size_t)ASN1_STRING_length(a->recipient->key);
}

/* Encrypts the content key to the agents: RSA PKCS#1 v1.5.  Returns 1, or 0. */
static int
lock_key(struct archived_key *e, size_t from, size_t count, uint8_t *out,
    const uint8_t key[KEY])
{
	struct agent *a;
	size_t i, n;

	for (i = 0; i < count; i++) {
		a = &e->agent[(from + i) % e->n];
		n = key_size(a);
		if (EVP_PKEY_encrypt(a->rsa, out + a->at, &n, key, KEY) != 1)
			return 0;
	}
	return 1;
}

int
archived_key_lock(struct archived_key *e, size_t from, size_t count,
    const uint8_t *in, size_t n, uint8_t **locked, size_t *len,
    struct reason *w)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *p = OPENSSL_zalloc(e->head + n + BLOCK);
	uint8_t key[KEY + BLOCK]; /* and IV */
	int some, rest, rc;

	if (ctx == NULL || p == NULL)
		heap_nomem();
	rc = RAND_priv_bytes(key, sizeof(key)) == 1;
	if (rc)
		memcpy(p, key + KEY, BLOCK);
	rc = rc && lock_key(e, from, count, p, key) &&
	    EVP_EncryptInit_ex(ctx, e->aes, NULL, key, p) &&
	    EVP_EncryptUpdate(ctx, p + e->head, &some, in, (int)n) &&
	    EVP_EncryptFinal_ex(ctx, p + e->head + some, &rest);
	OPENSSL_cleanse(key, sizeof(key));
	EVP_CIPHER_CTX_free(ctx);
	if (!rc) {
		OPENSSL_free(p);
		return reason_ssl(w, "kra", "cannot encrypt to the KRAs");
	}
	*locked = p;
	*len = e->head + (size_t)(some + rest);
	return 1;
}

/* Makes an OpenSSL octet string stand for other bytes of its length. */
static void
replace(ASN1_OCTET_STRING *s, const uint8_t *p)
{
	if (!ASN1_OCTET_STRING_set(s, p, ASN1_STRING_length(s)))
		heap_nomem();
}

/* Makes the message.  Returns its size, or 0. */
static size_t
encode(struct archived_key *e, size_t from, size_t count, const uint8_t *locked,
    size_t n, uint8_t **der)
{
	ENVELOPED *env = e->message->enveloped;
	struct agent *a;
	size_t i;
	int size;

	for (i = 0; i < count; i++) {
		a = &e->agent[(from + i) % e->n];
		replace(a->recipient->key, locked + a->at);
		if (!sk_RECIPIENT_push(env->recipients, a->recipient))
			heap_nomem();
	}
	replace(env->content->alg->parameter->value.octet_string, locked);
	*der = NULL;
	if (!ASN1_OCTET_STRING_set(env->content->data, locked + e->head,
		(int)(n - e->head)))
		heap_nomem();
	size = ASN1_item_i2d((ASN1_VALUE *)e->message, der,
	    ASN1_ITEM_rptr(MESSAGE));
	sk_RECIPIENT_zero(env->recipients);
	return size > 0 ? (size_t)size : 0;
}

/* Finds n bytes in the message: random ones, which are there once. */
static size_t
find(const struct made *m, const uint8_t *p, size_t n)
{
	return (size_t)((uint8_t *)memmem(m->der, m->len, p, n) - m->der);
}

/* Notes where the locked bytes are.  Returns 1, or 0 without a message. */
static int
make(struct archived_key *e, size_t from, size_t count, const uint8_t *locked,
    size_t n)
{
	struct made *m = &e->agent[from].made;
	const struct agent *a;
	size_t i;

	OPENSSL_free(m->der);
	OPENSSL_free(m->at);
	m->count = 0;
	m->at = OPENSSL_malloc((count + 1) * sizeof(*m->at));
	if (m->at == NULL)
		heap_nomem();
	if ((m->len = encode(e, from, count, locked, n, &m->der)) == 0)
		return 0;
	for (i = 0; i < count; i++) {
		a = &e->agent[(from + i) % e->n];
		m->at[i] = find(m, locked + a->at, key_size(a));
	}
	m->iv = find(m, locked, BLOCK);
	m->content = find(m, locked + e->head, n - e->head);
	m->count = count;
	m->n = n;
	return 1;
}

int
archived_key_close(struct archived_key *e, size_t from, size_t count,
    const uint8_t *locked, size_t n, uint8_t **der, size_t *len,
    struct reason *w)
{
	const struct made *m = &e->agent[from].made;
	const struct agent *a;
	size_t i;

	if ((m->count != count || m->n != n) &&
	    !make(e, from, count, locked, n))
		return reason_ssl(w, "kra", "cannot encrypt to the KRAs");
	for (i = 0; i < count; i++) {
		a = &e->agent[(from + i) % e->n];
		memcpy(m->der + m->at[i], locked + a->at, key_size(a));
	}
	memcpy(m->der + m->iv, locked, BLOCK);
	memcpy(m->der + m->content, locked + e->head, n - e->head);
	if ((*der = OPENSSL_memdup(m->der, m->len)) == NULL)
		heap_nomem();
	*len = m->len;
	return 1;
}

/* Encrypts with OpenSSL's CMS, if nothing else works. */
static int
with_cms(struct archived_key *e, size_t from, size_t count, const uint8_t *in,
    size_t n, uint8_t **der, size_t *len, struct reason *w)
{
	STACK_OF(X509) *some = sk_X509_new_null();
	size_t i;
	int rc;

	for (i = 0; some != NULL && i < count; i++)
		if (!sk_X509_push(some,
			sk_X509_value(e->kras, (int)((from + i) % e->n))))
			heap_nomem();
	rc = agent_encrypt(some, in, n, der, len, w);
	sk_X509_free(some);
	return rc;
}

int
archived_key_make(struct archived_key *e, size_t from, size_t count,
    const uint8_t *in, size_t n, uint8_t **der, size_t *len, struct reason *w)
{
	uint8_t *locked;
	size_t size;
	int rc;

	if (!e->halves)
		return with_cms(e, from, count, in, n, der, len, w);
	if (!archived_key_lock(e, from, count, in, n, &locked, &size, w))
		return 0;
	rc = archived_key_close(e, from, count, locked, size, der, len, w);
	OPENSSL_free(locked);
	return rc;
}
