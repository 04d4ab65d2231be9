#include "file/epf_open.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/heap.h"
#include "key/private.h"
#include "key/tlv.h"
#include "lock/budget.h"

#define TAIL   32 /* bytes behind a key: padding, perhaps a check value */
#define PASSES 3
#define STREAM (PASSES * 20) /* of SHA-1, the longer one */

/* Costs of work, in rounds of a hash (measured). */
#define COST_KEYED 16
#define COST_TRIAL 4

static const char *const hashes[] = { "SHA1", "MD5" };

static const struct {
	const char *name;
	int keylen;
} ciphers[] = {
	{ "CAST5-CBC", 16 },
	{ "CAST5-CBC", 8 },
	{ "CAST5-CBC", 5 },
	{ "CAST5-CBC", 10 },
	{ "DES-EDE3-CBC", 24 },
	{ "AES-128-CBC", 16 },
	{ "AES-256-CBC", 32 },
};

#define HASHES	(sizeof(hashes) / sizeof(hashes[0]))
#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

/* What every try needs, fetched once. */
struct epf_lab {
	EVP_MD *md[HASHES];
	EVP_MD_CTX *hash;
	EVP_CIPHER_CTX *cipher[CIPHERS];
	uint8_t *input; /* password, salt, byte: secure */
	uint8_t stream[STREAM]; /* what a derivation gave: key and IV */
};

size_t
epf_sequence(const uint8_t *p, size_t n)
{
	size_t head, size = tlv_sequence(p, n, &head);

	return size <= n ? size : 0;
}

/* Hashes the n bytes of the input, and the digest, count times. */
static void
epf_pass(struct epf_lab *b, const EVP_MD *md, size_t n, long count, size_t at)
{
	size_t len = (size_t)EVP_MD_get_size(md);
	const uint8_t *in = b->input;
	long i;

	for (i = 0; i < count; i++, in = b->stream + at, n = len)
		if (!EVP_DigestInit_ex2(b->hash, md, NULL) ||
		    !EVP_DigestUpdate(b->hash, in, n) ||
		    !EVP_DigestFinal_ex(b->hash, b->stream + at, NULL))
			heap_nomem();
}

/*
 * Hashes password, salt and (except in the first pass) the number of the pass
 * into b->stream.  Returns 1, or 0 if the work would pass its ceiling.
 */
static int
epf_derive(struct epf *f, struct epf_lab *b, const EVP_MD *md, const char *pass,
    const char *salt, long count)
{
	size_t np = strlen(pass), ns = strlen(salt), n = np + ns, k;

	if (!budget_spend(PASSES * (int64_t)count, &f->over))
		return 0;
	memcpy(b->input, pass, np);
	memcpy(b->input + np, salt, ns);
	epf_pass(b, md, n, count, 0);
	for (k = 1; k < PASSES; k++) {
		b->input[n] = (uint8_t)k;
		epf_pass(b, md, n + 1, count, k * (size_t)EVP_MD_get_size(md));
	}
	OPENSSL_cleanse(b->input, n + 1);
	return 1;
}

/* Adds a key in the clear, once.  Returns 1 if it is one. */
static int
epf_take(struct epf *f, const uint8_t *p, size_t n)
{
	uint8_t *p8 = NULL, id[32];
	struct reason w;
	int rc;

	rc = private_id(p, n, id, &w);
	if (!rc && (p8 = private_traditional(p, n, &n)) != NULL)
		rc = private_id(p8, n, id, &w);
	if (rc && findings_key0(f->l, id) == NULL)
		findings_add_key(f->l, p8 != NULL ? p8 : p, n, NULL, 0);
	OPENSSL_secure_clear_free(p8, p8 != NULL ? n : 0);
	reason_clear();
	return rc;
}

/*
 * Decrypts all of v, whose first bytes look like a key.  Returns 1 if it was
 * one.
 */
static int
epf_unlock(struct epf *f, struct epf_locked *v, EVP_CIPHER_CTX *ctx,
    const uint8_t *iv, size_t total)
{
	uint8_t *clear;
	int n;

	heap_check();
	if ((clear = OPENSSL_secure_malloc(v->n)) == NULL)
		heap_nomem();
	v->open = EVP_DecryptInit_ex2(ctx, NULL, NULL, iv, NULL) &&
	    EVP_DecryptUpdate(ctx, clear, &n, v->p, (int)v->n) &&
	    (size_t)n == v->n && epf_take(f, clear, total);
	OPENSSL_secure_clear_free(clear, v->n);
	f->closed -= (size_t)v->open;
	return v->open;
}

/* Tries a key and IV on all closed values.  Returns how many opened. */
static size_t
epf_try_cipher(struct epf *f, EVP_CIPHER_CTX *ctx, const uint8_t *stream)
{
	const uint8_t *iv = stream + EVP_CIPHER_CTX_get_key_length(ctx);
	int block = EVP_CIPHER_CTX_get_block_size(ctx), n;
	uint8_t head[32];
	struct epf_locked *v;
	size_t got = 0, total;

	if (!EVP_DecryptInit_ex2(ctx, NULL, stream, iv, NULL))
		heap_nomem();
	for (v = f->v; v < f->v + f->n; v++) {
		if (v->open || v->n % (size_t)block != 0)
			continue;
		memset(head, 0, sizeof(head));
		/* a block tells, but for one time in millions */
		if (!EVP_DecryptInit_ex2(ctx, NULL, NULL, iv, NULL) ||
		    !EVP_DecryptUpdate(ctx, head, &n, v->p, block))
			heap_nomem();
		total = epf_sequence(head, v->n);
		if (total > 0 && v->n - total <= TAIL)
			got += (size_t)epf_unlock(f, v, ctx, iv, total);
	}
	OPENSSL_cleanse(head, sizeof(head));
	return got;
}

/*
 * Tries the result of one derivation.  Returns how many opened, or -1 if the
 * work is used up.
 */
static int
epf_try(struct epf *f, struct epf_lab *b)
{
	size_t got = 0, c;

	if (!budget_spend((int64_t)CIPHERS *
		    (COST_KEYED + COST_TRIAL * (int64_t)f->closed),
		&f->over))
		return -1;
	for (c = 0; c < CIPHERS && f->closed > 0; c++)
		got += epf_try_cipher(f, b->cipher[c], b->stream);
	OPENSSL_cleanse(b->stream, sizeof(b->stream));
	return (int)got;
}

/* Tries one password with each salt.  Returns 1 to go on, 0 to stop. */
static int
epf_try_salts(struct epf *f, struct epf_lab *b, const EVP_MD *md, long count,
    const char *pass)
{
	size_t i;
	int got;

	/* that of a map may be of any length */
	for (i = 0; i < f->nsalts && strlen(pass) <= SECRET_MAX; i++) {
		if (!epf_derive(f, b, md, pass, f->salt[i], count) ||
		    (got = epf_try(f, b)) == -1)
			return 0;
		if (got > 0)
			f->pass = pass;
	}
	return f->closed > 0;
}

/*
 * Tries everything, the cheap first: a number that is no count must not use up
 * the work.  A profile has one password.
 */
static void
epf_search(struct epf *f, struct epf_lab *b, struct secrets *s)
{
	const char *pass;
	size_t n, h, i;
	int go = f->closed > 0;

	for (n = 0; go && n < f->ncounts; n++)
		for (h = 0; go && h < HASHES; h++) {
			if (f->pass != NULL) {
				go = epf_try_salts(f, b, b->md[h], f->count[n],
				    f->pass);
				continue;
			}
			for (i = 0; go && f->pass == NULL &&
			     (pass = secret_try(s, i)) != NULL;
			     i++)
				go = epf_try_salts(f, b, b->md[h], f->count[n],
				    pass);
			if (f->pass != NULL)
				secret_worked(s, i - 1);
		}
}

static void
epf_lab_free(struct epf_lab *b)
{
	size_t i;

	for (i = 0; i < HASHES; i++)
		EVP_MD_free(b->md[i]);
	for (i = 0; i < CIPHERS; i++)
		EVP_CIPHER_CTX_free(b->cipher[i]);
	EVP_MD_CTX_free(b->hash);
	OPENSSL_secure_clear_free(b->input, SECRET_MAX + EPF_SALT_TEXT + 1);
}

static void
epf_lab_new(struct epf_lab *b)
{
	EVP_CIPHER *c;
	size_t i;

	memset(b, 0, sizeof(*b));
	b->hash = EVP_MD_CTX_new();
	b->input = OPENSSL_secure_malloc(SECRET_MAX + EPF_SALT_TEXT + 1);
	if (b->hash == NULL || b->input == NULL)
		heap_nomem();
	for (i = 0; i < HASHES; i++)
		if ((b->md[i] = EVP_MD_fetch(NULL, hashes[i], NULL)) == NULL)
			heap_nomem();
	for (i = 0; i < CIPHERS; i++) {
		c = EVP_CIPHER_fetch(NULL, ciphers[i].name, NULL);
		b->cipher[i] = EVP_CIPHER_CTX_new();
		/* the key comes later: first its length must be known */
		if (c == NULL || b->cipher[i] == NULL ||
		    !EVP_DecryptInit_ex2(b->cipher[i], c, NULL, NULL, NULL) ||
		    !EVP_CIPHER_CTX_set_key_length(b->cipher[i],
			ciphers[i].keylen) ||
		    !EVP_CIPHER_CTX_set_padding(b->cipher[i], 0))
			heap_nomem();
		EVP_CIPHER_free(c);
	}
}

void
epf_open(struct epf *f, struct secrets *s)
{
	struct epf_lab b;

	epf_lab_new(&b);
	epf_search(f, &b, s);
	epf_lab_free(&b);
}
