#include "lock/ahead.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/fuzzing.h"
#include "base/heap.h"

#define ROUNDS_LIKELY \
	(FUZZING ? 1000 : 1000000) /* more is derived when needed */

struct ahead *
ahead_new(struct passform_tries *t)
{
	struct ahead *a = OPENSSL_zalloc(sizeof(*a));

	if (a == NULL)
		heap_nomem();
	if (!passform_next(t, &a->form)) {
		OPENSSL_free(a);
		return NULL;
	}
	a->tries = *t;
	return a;
}

void
ahead_free(struct ahead *a)
{
	OPENSSL_free(a); /* which wipes: see base/heap.h */
}

void
ahead_add(struct ahead *a, const struct kdf *k)
{
	if (a->n == AHEAD_DERIVATIONS || k->nsalt > AHEAD_SALT || k->n == 0 ||
	    k->n > AHEAD_OUT || k->rounds < 1 || k->rounds > ROUNDS_LIKELY ||
	    kdf_width(k->md) == 1)
		return;
	a->k[a->n] = *k;
	if (k->nsalt > 0)
		memcpy(a->salt[a->n], k->salt, k->nsalt);
	a->k[a->n].salt = a->salt[a->n];
	a->k[a->n].out = a->out[a->n];
	a->n++;
}

void
ahead_derive(struct ahead *const *a, size_t n)
{
	struct kdf *k = NULL;
	size_t i, j, count = 0;

	if (n > 0 && (k = calloc(n, sizeof(a[0]->k))) == NULL)
		heap_nomem();
	for (i = 0; i < n; i++)
		for (j = a[i]->derived; j < a[i]->n; j++)
			k[count++] = a[i]->k[j];
	if (kdf_derive(k, count))
		for (i = 0; i < n; i++)
			a[i]->derived = a[i]->n;
	free(k);
}

/* Returns its derivation with the same result, or NULL. */
static const struct kdf *
ahead_find0(const struct ahead *a, const struct kdf *k)
{
	const struct kdf *p;
	size_t i;

	for (i = 0; a != NULL && i < a->derived; i++) {
		p = &a->k[i];
		if (p->md == k->md && p->id == k->id && p->n == k->n &&
		    p->rounds == k->rounds && p->npass == k->npass &&
		    p->nsalt == k->nsalt &&
		    (k->npass == 0 ||
			CRYPTO_memcmp(p->pass, k->pass, k->npass) == 0) &&
		    (k->nsalt == 0 || memcmp(p->salt, k->salt, k->nsalt) == 0))
			return p;
	}
	return NULL;
}

int
ahead_kdf(const struct ahead *a, const struct kdf *k, size_t n)
{
	const struct kdf *p;
	struct kdf rest[2];
	size_t i, m = 0;
	int ok = 1;

	for (i = 0; i < n && ok; i++) {
		if ((p = ahead_find0(a, &k[i])) != NULL)
			memcpy(k[i].out, p->out, k[i].n);
		else
			rest[m++] = k[i];
		if (m == 2 || (i == n - 1 && m > 0)) {
			ok = kdf_derive(rest, m);
			m = 0;
		}
	}
	return ok;
}
