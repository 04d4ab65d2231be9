#include "export/agree.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/reason.h"
#include "base/table.h"

#define AGREE_HASH 16

/* A word of a certificate; certificates with the same word agree. */
struct agree_word {
	uint8_t hash[AGREE_HASH];
	size_t cert;
};

/* The first in a list of certificates with one subject on the shelf. */
struct agree_subject {
	uint8_t hash[AGREE_HASH];
	size_t last; /* in ca, from 1 */
};

struct agree_ca {
	struct held h; /* only what shelf_cert() needs */
	size_t before; /* the one of the same subject, from 1 */
};

struct agree {
	struct agree_word *word;
	size_t nwords, word_room;
	size_t *up; /* of each certificate: another of its group, or itself */
	size_t n, up_room, groups;
	/* of the whole shelf, once it was read */
	struct table subjects;
	struct agree_ca *ca;
	size_t ncas, ca_room;
	int read;
	unsigned proofs;
};

struct agree *
agree_new(void)
{
	struct agree *a = calloc(1, sizeof(*a));

	if (a == NULL)
		heap_nomem();
	a->subjects = TABLE_OF(struct agree_subject, AGREE_HASH, UINT32_MAX);
	return a;
}

void
agree_free(struct agree *a)
{
	if (a == NULL)
		return;
	OPENSSL_free(a->word);
	OPENSSL_free(a->up);
	OPENSSL_free(a->ca);
	table_clear(&a->subjects);
	free(a);
}

void
agree_clear(struct agree *a)
{
	a->n = a->nwords = a->groups = 0;
}

/* Hashes the n bytes at s, for a kind of word; case is ignored. */
static void
agree_hash(uint8_t hash[AGREE_HASH], char kind, const void *s, size_t n)
{
	uint8_t md[32], *low = OPENSSL_malloc(n + 1);
	size_t i;

	if (low == NULL)
		heap_nomem();
	low[0] = (uint8_t)kind;
	for (i = 0; i < n; i++)
		low[i + 1] = (uint8_t)tolower(((const uint8_t *)s)[i]);
	if (!EVP_Digest(low, n + 1, md, NULL, EVP_sha256(), NULL))
		heap_nomem();
	memcpy(hash, md, AGREE_HASH);
	OPENSSL_free(low);
}

static void
agree_say(struct agree *a, size_t cert, char kind, const void *s, size_t n)
{
	struct agree_word *w;

	if (n == 0)
		return;
	a->word = array_grow(a->word, &a->word_room, a->nwords + 1,
	    sizeof(*a->word));
	w = &a->word[a->nwords++];
	agree_hash(w->hash, kind, s, n);
	w->cert = cert;
}

void
agree_add(struct agree *a, const struct cert *c)
{
	STACK_OF(OPENSSL_STRING) *mail;
	X509 *x = cert_x509(c);
	char *s;
	int i;

	a->up = array_grow(a->up, &a->up_room, a->n + 1, sizeof(*a->up));
	a->up[a->n] = a->n;
	agree_say(a, a->n, 's', c->subject, strlen(c->subject));
	agree_say(a, a->n, 'c', c->sha256, sizeof(c->sha256));
	mail = x == NULL ? NULL : X509_get1_email(x);
	for (i = 0; i < sk_OPENSSL_STRING_num(mail); i++) {
		s = sk_OPENSSL_STRING_value(mail, i);
		agree_say(a, a->n, 'm', s, strlen(s));
	}
	X509_email_free(mail);
	X509_free(x);
	reason_clear();
	a->n++;
}

size_t
agree_group(struct agree *a, size_t i)
{
	while (a->up[i] != i)
		i = a->up[i] = a->up[a->up[i]];
	return i;
}

static int
agree_by_hash(const void *a, const void *b)
{
	return memcmp(a, b, AGREE_HASH);
}

size_t
agree_groups(struct agree *a)
{
	size_t i, one, two, groups = a->n;

	for (i = 0; i < a->n; i++)
		a->up[i] = i;
	qsort(a->word, a->nwords, sizeof(*a->word), agree_by_hash);
	for (i = 1; i < a->nwords; i++) {
		if (agree_by_hash(&a->word[i - 1], &a->word[i]) != 0)
			continue;
		one = agree_group(a, a->word[i - 1].cert);
		two = agree_group(a, a->word[i].cert);
		groups -= one != two;
		a->up[two] = one;
	}
	return groups;
}

int
agree_spent(const struct agree *a)
{
	return a->proofs == AGREE_PROOFS_MAX;
}

/* Notes all certificates of the shelf by their subject. */
static void
agree_read(struct agree *a, struct shelf *shelf)
{
	struct agree_subject *s;
	struct agree_ca *ca;
	struct cert *c;
	uint8_t hash[AGREE_HASH];
	struct held h;
	uint64_t at = 0;

	for (; shelf_each(shelf, &at, &h); held_free(&h)) {
		/* of copies the first has the data */
		if (h.is_key || h.len == 0)
			continue;
		c = shelf_cert(shelf, &h);
		agree_hash(hash, 's', c->subject, strlen(c->subject));
		cert_free(c);
		a->ca = array_grow(a->ca, &a->ca_room, a->ncas + 1,
		    sizeof(*a->ca));
		ca = &a->ca[a->ncas++];
		ca->h = h;
		s = table_get0(&a->subjects, hash);
		ca->before = s->last;
		s->last = a->ncas;
	}
	a->read = 1;
}

void
agree_issuer(struct agree *a, size_t i, const struct cert *c,
    struct shelf *shelf)
{
	const struct agree_subject *s;
	uint8_t hash[AGREE_HASH];
	struct cert *ca;
	size_t k;
	X509 *x;
	int rc = 0;

	if (!a->read)
		agree_read(a, shelf);
	agree_hash(hash, 's', c->issuer, strlen(c->issuer));
	s = table_find0(&a->subjects, hash);
	for (k = s == NULL ? 0 : s->last; !rc && k > 0;
	     k = a->ca[k - 1].before) {
		if (agree_spent(a))
			return;
		a->proofs++;
		ca = shelf_cert(shelf, &a->ca[k - 1].h);
		x = cert_x509(ca);
		rc = x != NULL && cert_is_of(c, x);
		if (rc)
			agree_say(a, i, 'i', ca->id, sizeof(ca->id));
		X509_free(x);
		cert_free(ca);
	}
	reason_clear();
}
