#include "file/findings.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "key/private.h"
#include "lock/box.h"

/* The box that seals waiting keys, and how many it has sealed. */
static struct box *vault;
static unsigned long long keys;
static pid_t owner; /* the process that counts them */

void
findings_share(void)
{
	if (vault == NULL)
		vault = box_random();
}

void
findings_free(struct findings *l)
{
	struct finding *it;

	while (l->n > 0) {
		it = &l->v[--l->n];
		OPENSSL_free(it->sealed);
		cert_free(it->cert);
		OPENSSL_free(it->name);
	}
	free(l->v);
	l->v = NULL;
}

static struct finding *
findings_add(struct findings *l, enum finding_kind kind)
{
	struct finding *v, *it;

	/* the size doubles at each power of two */
	if ((l->n & (l->n - 1)) == 0) {
		v = realloc(l->v, (l->n == 0 ? 1 : 2 * l->n) * sizeof(*v));
		if (v == NULL)
			heap_nomem();
		l->v = v;
	}
	it = &l->v[l->n++];
	memset(it, 0, sizeof(*it));
	it->kind = kind;
	return it;
}

/* Returns 1 if there is room for n more bytes; else adds a fault, once. */
static int
findings_room(struct findings *l, size_t n)
{
	struct reason w;

	if (l->n < FINDINGS_MAX && n <= FINDING_BYTES_MAX)
		return 1;
	if (l->n < FINDINGS_MAX)
		reason_set(&w, "ceiling",
		    "a key or certificate of more than %d bytes, the ceiling: "
		    "none for mail is so large, keep the file itself",
		    FINDING_BYTES_MAX);
	else
		reason_set(&w, "ceiling",
		    "more than %d keys and certificates in one file: split it",
		    FINDINGS_MAX);
	if (l->n <= FINDINGS_MAX)
		findings_add(l, FINDING_FAULT)->why = w;
	return 0;
}

void
findings_add_fault(struct findings *l, const struct reason *w)
{
	if (findings_room(l, 0))
		findings_add(l, FINDING_FAULT)->why = *w;
}

void
findings_add_large(struct findings *l)
{
	(void)findings_room(l, FINDING_BYTES_MAX + 1);
}

/* Adds the fault of a key or certificate that is not what it should be. */
static void
findings_add_wrong(struct findings *l, const struct reason *w)
{
	struct reason more;

	reason_set(&more, w->reason, "%.400s: %s", w->detail,
	    strcmp(w->reason, "unsupported") == 0 ? "keep the file itself" :
						    FINDING_ANEW);
	findings_add_fault(l, &more);
}

/* Adds the key of this identity; takes the name. */
static void
findings_put_key(struct findings *l, const uint8_t *p8, size_t n,
    const uint8_t id[32], char *name, size_t namelen)
{
	struct finding *it = findings_add(l, FINDING_KEY);

	findings_share();
	/* no number twice, in whichever process */
	if (owner != getpid()) {
		owner = getpid();
		keys = (unsigned long long)owner << 40;
	}
	it->num = ++keys;
	it->sealedlen = n + BOX_TAG;
	if ((it->sealed = OPENSSL_malloc(it->sealedlen)) == NULL ||
	    !box_close(vault, it->num, "", 0, p8, n, it->sealed))
		heap_nomem();
	memcpy(it->id, id, sizeof(it->id));
	it->name = name;
	it->namelen = namelen;
}

/* Adds the certificate; takes it, and the name. */
static void
findings_put_cert(struct findings *l, struct cert *c, char *name,
    size_t namelen)
{
	struct finding *it = findings_add(l, FINDING_CERT);

	it->cert = c;
	memcpy(it->id, c->id, sizeof(it->id));
	it->name = name;
	it->namelen = namelen;
}

/*
 * Adds a key that is whole, if need be after mending it, and then takes the
 * name.  Returns 1, or 0 with *w.
 */
static int
findings_key(struct findings *l, const uint8_t *p8, size_t n, char *name,
    size_t namelen, struct reason *w)
{
	uint8_t id[32], *own = NULL;
	struct reason why;
	int anew = 0, rc;
	size_t len;

	heap_check();
	if (!(rc = private_id(p8, n, id, w)) &&
	    (own = private_mend(p8, n, &len, &anew)) != NULL)
		rc = private_id(own, len, id, w);
	if (rc && findings_room(l, n))
		findings_put_key(l, own != NULL ? own : p8,
		    own != NULL ? len : n, id, name, namelen);
	else
		OPENSSL_free(rc ? name : NULL);
	if (own != NULL)
		OPENSSL_secure_clear_free(own, len);
	if (rc && anew) {
		reason_set(&why, "damaged",
		    "an RSA key whose dP, dQ or qInv is wrong (RFC 8017 section "
		    "3.2): they were recomputed, and nothing is lost");
		findings_add_fault(l, &why);
	}
	return rc;
}

int
findings_try_key(struct findings *l, const uint8_t *p8, size_t n,
    struct reason *w)
{
	return findings_key(l, p8, n, NULL, 0, w);
}

int
findings_try_cert(struct findings *l, const uint8_t *der, size_t n,
    struct reason *w)
{
	struct cert *c;

	if (!cert_new(&c, der, n, w))
		return 0;
	if (findings_room(l, n))
		findings_put_cert(l, c, NULL, 0);
	else
		cert_free(c);
	return 1;
}

void
findings_add_key(struct findings *l, const uint8_t *p8, size_t n, char *name,
    size_t namelen)
{
	struct reason w;

	if (findings_room(l, n)) {
		if (findings_key(l, p8, n, name, namelen, &w))
			return;
		findings_add_wrong(l, &w);
	}
	OPENSSL_free(name);
}

void
findings_add_cert(struct findings *l, const uint8_t *der, size_t n, char *name,
    size_t namelen)
{
	struct cert *c;
	struct reason w;

	if (findings_room(l, n)) {
		if (cert_new(&c, der, n, &w)) {
			findings_put_cert(l, c, name, namelen);
			return;
		}
		findings_add_wrong(l, &w);
	}
	OPENSSL_free(name);
}

uint8_t *
finding_key1(const struct finding *it, size_t *n)
{
	uint8_t *p8;

	*n = it->sealedlen - BOX_TAG;
	heap_check();
	if ((p8 = OPENSSL_secure_malloc(*n)) == NULL ||
	    !box_open(vault, it->num, "", 0, it->sealed, it->sealedlen, p8))
		heap_nomem();
	return p8;
}

void
findings_move(struct findings *to, struct findings *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (findings_room(to, 0)) {
			*findings_add(to, from->v[i].kind) = from->v[i];
			memset(&from->v[i], 0, sizeof(from->v[i]));
		}
	findings_free(from);
}

struct finding *
findings_key0(const struct findings *l, const uint8_t id[32])
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == FINDING_KEY &&
		    memcmp(l->v[i].id, id, 32) == 0)
			return &l->v[i];
	return NULL;
}

int
findings_has_cert(const struct findings *l, const uint8_t id[32])
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == FINDING_CERT &&
		    memcmp(l->v[i].id, id, 32) == 0)
			return 1;
	return 0;
}
