#include "item.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pkey.h"
#include "seal.h"
#include "tool.h"

/* What seals the keys that wait, and how many it has sealed. */
static struct seal *vault;
static unsigned long long keys;

void
items_share(void)
{
	if (vault == NULL)
		vault = seal_random();
}

void
items_free(struct items *l)
{
	struct item *it;

	while (l->n > 0) {
		it = &l->v[--l->n];
		OPENSSL_free(it->sealed);
		cert_free(it->cert);
		OPENSSL_free(it->name);
	}
	free(l->v);
	l->v = NULL;
}

static struct item *
add(struct items *l, enum item_kind kind)
{
	struct item *v, *it;

	/* the size doubles at each power of two */
	if ((l->n & (l->n - 1)) == 0) {
		v = realloc(l->v, (l->n == 0 ? 1 : 2 * l->n) * sizeof(*v));
		if (v == NULL)
			tool_nomem();
		l->v = v;
	}
	it = &l->v[l->n++];
	memset(it, 0, sizeof(*it));
	it->kind = kind;
	return it;
}

/* Returns 1 if there is room for n bytes more; else a fault says so, once. */
static int
room(struct items *l, size_t n)
{
	struct why w;

	if (l->n < ITEMS_MAX && n <= ITEM_BYTES_MAX)
		return 1;
	if (l->n < ITEMS_MAX)
		why_set(&w, "ceiling",
		    "a key or certificate of more than %d bytes, the ceiling: "
		    "none for mail is so large, keep the file itself",
		    ITEM_BYTES_MAX);
	else
		why_set(&w, "ceiling",
		    "more than %d keys and certificates in one file: split it",
		    ITEMS_MAX);
	if (l->n <= ITEMS_MAX)
		add(l, ITEM_FAULT)->why = w;
	return 0;
}

void
items_add_fault(struct items *l, const struct why *w)
{
	if (room(l, 0))
		add(l, ITEM_FAULT)->why = *w;
}

void
items_add_large(struct items *l)
{
	(void)room(l, ITEM_BYTES_MAX + 1);
}

/* Adds the fault of a key or certificate that is not what it should be. */
static void
add_wrong(struct items *l, const struct why *w)
{
	struct why more;

	why_set(&more, w->reason, "%.400s: %s", w->detail,
	    strcmp(w->reason, "unsupported") == 0 ? "keep the file itself" :
						    ITEM_ANEW);
	items_add_fault(l, &more);
}

/* Adds the key of this identity; takes the name. */
static void
put_key(struct items *l, const uint8_t *p8, size_t n, const uint8_t id[32],
    char *name, size_t namelen)
{
	struct item *it = add(l, ITEM_KEY);

	items_share();
	/* no number twice, in whichever process */
	if (keys == 0)
		keys = (unsigned long long)getpid() << 40;
	it->num = ++keys;
	it->sealedlen = n + SEAL_TAG;
	if ((it->sealed = OPENSSL_malloc(it->sealedlen)) == NULL ||
	    !seal_close(vault, it->num, "", 0, p8, n, it->sealed))
		tool_nomem();
	memcpy(it->id, id, sizeof(it->id));
	it->name = name;
	it->namelen = namelen;
}

/* Adds the certificate; takes it, and the name. */
static void
put_cert(struct items *l, struct cert *c, char *name, size_t namelen)
{
	struct item *it = add(l, ITEM_CERT);

	it->cert = c;
	memcpy(it->id, c->id, sizeof(it->id));
	it->name = name;
	it->namelen = namelen;
}

int
items_try_key(struct items *l, const uint8_t *p8, size_t n, struct why *w)
{
	uint8_t id[32];

	tool_check_heap();
	if (!pkey_id(p8, n, id, w))
		return 0;
	if (room(l, n))
		put_key(l, p8, n, id, NULL, 0);
	return 1;
}

int
items_try_cert(struct items *l, const uint8_t *der, size_t n, struct why *w)
{
	struct cert *c;

	if (!cert_new(&c, der, n, w))
		return 0;
	if (room(l, n))
		put_cert(l, c, NULL, 0);
	else
		cert_free(c);
	return 1;
}

void
items_add_key(struct items *l, const uint8_t *p8, size_t n, char *name,
    size_t namelen)
{
	uint8_t id[32];
	struct why w;

	tool_check_heap();
	if (room(l, n)) {
		if (pkey_id(p8, n, id, &w)) {
			put_key(l, p8, n, id, name, namelen);
			return;
		}
		add_wrong(l, &w);
	}
	OPENSSL_free(name);
}

void
items_add_cert(struct items *l, const uint8_t *der, size_t n, char *name,
    size_t namelen)
{
	struct cert *c;
	struct why w;

	if (room(l, n)) {
		if (cert_new(&c, der, n, &w)) {
			put_cert(l, c, name, namelen);
			return;
		}
		add_wrong(l, &w);
	}
	OPENSSL_free(name);
}

uint8_t *
item_key1(const struct item *it, size_t *n)
{
	uint8_t *p8;

	*n = it->sealedlen - SEAL_TAG;
	tool_check_heap();
	if ((p8 = OPENSSL_secure_malloc(*n)) == NULL ||
	    !seal_open(vault, it->num, "", 0, it->sealed, it->sealedlen, p8))
		tool_nomem();
	return p8;
}

void
items_move(struct items *to, struct items *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (room(to, 0)) {
			*add(to, from->v[i].kind) = from->v[i];
			memset(&from->v[i], 0, sizeof(from->v[i]));
		}
	items_free(from);
}

struct item *
items_key0(const struct items *l, const uint8_t id[32])
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == ITEM_KEY && memcmp(l->v[i].id, id, 32) == 0)
			return &l->v[i];
	return NULL;
}

int
items_has_cert(const struct items *l, const uint8_t id[32])
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == ITEM_CERT &&
		    memcmp(l->v[i].id, id, 32) == 0)
			return 1;
	return 0;
}
