#include "export/pair.h"

#include <openssl/crypto.h>
#include <string.h>

static struct text
pair_name_of(const struct finding *a, const struct finding *b)
{
	struct text t = { a->name, a->namelen };

	if (t.n == 0 && b != NULL) {
		t.s = b->name;
		t.n = b->namelen;
	}
	return t;
}

/* Keys that wait need not any more; their members come to class. */
static void
pair_keys_done(struct pair *x, const uint8_t id[32], uint8_t class)
{
	struct held h;
	size_t pos = 0;

	while (shelf_find(x->shelf, id, 1, &pos, &h))
		if (h.state == HELD_WAITS) {
			shelf_done(x->shelf, &h);
			x->sink.classify(x->sink.ctx, h.member, class);
		}
}

/* Would the certificate go, if it were for this path? */
static int
pair_wanted(struct pair *x, const struct finding *cert,
    const struct finding *key, struct text path)
{
	return x->sink.wanted(x->sink.ctx, cert->cert, pair_name_of(cert, key),
	    path);
}

/* A certificate whose key is not in its member. */
static void
pair_lone_cert(struct pair *x, const struct finding *it, struct text path,
    uint64_t member)
{
	const struct cert *c = it->cert;
	int mine = pair_wanted(x, it, NULL, path);
	struct held h;
	size_t pos = 0;
	uint8_t class;

	if (shelf_came(x->shelf, c, &h)) {
		x->sink.classify(x->sink.ctx, member, mine ? CERTS : SKIPPED);
		return;
	}
	while (shelf_find(x->shelf, c->id, 1, &pos, &h)) {
		class = x->sink.emit(x->sink.ctx, c, h.data, h.len,
		    pair_name_of(it, NULL), h.source);
		if (class == SKIPPED && mine)
			class = x->sink.emit(x->sink.ctx, c, h.data, h.len,
			    pair_name_of(it, NULL), path);
		x->sink.classify(x->sink.ctx, h.member, class);
		if (class == SKIPPED)
			continue;
		x->sink.classify(x->sink.ctx, member, CERTS);
		pair_keys_done(x, c->id, class);
		shelf_cert(x->shelf, c, HELD_DONE, path, member);
		return;
	}
	shelf_cert(x->shelf, c, mine ? HELD_WAITS : HELD_LEFT, path, member);
}

/*
 * Writes the certificates that wait for a key, selected by its path or their
 * own.  Returns what that makes of its member: NOTHING if there are none.
 */
static uint8_t
pair_waiting(struct pair *x, const struct finding *key, const uint8_t *p8,
    size_t n, struct text path)
{
	struct cert *c;
	struct held h;
	struct reason w;
	size_t pos = 0;
	uint8_t class = NOTHING, one;

	while (shelf_find(x->shelf, key->id, 0, &pos, &h)) {
		if (h.state == HELD_DONE || !cert_new(&c, h.data, h.len, &w))
			continue;
		one = x->sink.emit(x->sink.ctx, c, p8, n,
		    pair_name_of(key, NULL), path);
		if (one == SKIPPED && h.state == HELD_WAITS)
			one = x->sink.emit(x->sink.ctx, c, p8, n,
			    pair_name_of(key, NULL), h.source);
		class = one > class ? one : class;
		x->sink.classify(x->sink.ctx, h.member,
		    one == SKIPPED ? SKIPPED : CERTS);
		if (one != SKIPPED)
			shelf_done(x->shelf, &h);
		cert_free(c);
	}
	return class;
}

/* A key whose certificate is not in its member. */
static void
pair_lone_key(struct pair *x, const struct finding *key, struct text path,
    uint64_t member)
{
	struct held h;
	size_t pos = 0, n;
	uint8_t class, *p8;

	while (shelf_find(x->shelf, key->id, 1, &pos, &h))
		if (h.state == HELD_DONE) {
			x->sink.classify(x->sink.ctx, member, KEYS);
			return;
		}
	p8 = finding_key1(key, &n);
	class = pair_waiting(x, key, p8, n, path);
	x->sink.classify(x->sink.ctx, member, class);
	if (class > SKIPPED)
		pair_keys_done(x, key->id, class);
	shelf_key(x->shelf, key->id, p8, n,
	    class == NOTHING	 ? HELD_WAITS :
		class == SKIPPED ? HELD_LEFT :
				   HELD_DONE,
	    path, member);
	OPENSSL_secure_clear_free(p8, n);
}

/* A certificate and its key, of one member. */
static void
pair_couple(struct pair *x, const struct finding *it, const struct finding *key,
    struct text path, uint64_t member)
{
	struct held h;
	int before = shelf_came(x->shelf, it->cert, &h);
	uint8_t class, *p8;
	size_t n;

	if (before && h.state == HELD_DONE && h.member == member)
		return;
	p8 = finding_key1(key, &n);
	class = x->sink.emit(x->sink.ctx, it->cert, p8, n,
	    pair_name_of(it, key), path);
	OPENSSL_secure_clear_free(p8, n);
	x->sink.classify(x->sink.ctx, member, class);
	if (class == SKIPPED)
		return;
	if (!before)
		shelf_cert(x->shelf, it->cert, HELD_DONE, path, member);
	else if (h.state == HELD_WAITS) {
		shelf_done(x->shelf, &h);
		x->sink.classify(x->sink.ctx, h.member, CERTS);
	}
}

/*
 * A key that came with its certificate, which is wanted or not: other
 * certificates of it may be elsewhere.
 */
static void
pair_coupled_key(struct pair *x, const struct finding *key, int is_wanted,
    struct text path, uint64_t member)
{
	struct held h;
	size_t pos = 0, n;
	uint8_t *p8 = finding_key1(key, &n), class;

	if (shelf_find(x->shelf, key->id, 1, &pos, &h)) {
		if (is_wanted)
			pair_keys_done(x, key->id, KEYS);
	} else {
		class = pair_waiting(x, key, p8, n, path);
		x->sink.classify(x->sink.ctx, member, class);
		shelf_key(x->shelf, key->id, p8, n,
		    is_wanted || class > SKIPPED ? HELD_DONE : HELD_LEFT, path,
		    member);
	}
	OPENSSL_secure_clear_free(p8, n);
}

/*
 * Whether the member has a certificate of this key, and if so whether one of
 * them is wanted.
 */
static int
pair_partner(struct pair *x, const struct findings *l,
    const struct finding *key, struct text path, int *is_wanted)
{
	int found = 0;
	size_t i;

	*is_wanted = 0;
	for (i = 0; i < l->n && !*is_wanted; i++)
		if (l->v[i].kind == FINDING_CERT &&
		    memcmp(l->v[i].id, key->id, sizeof(key->id)) == 0) {
			found = 1;
			*is_wanted = pair_wanted(x, &l->v[i], key, path);
		}
	return found;
}

void
pair_fault(struct pair *x, struct text path, uint64_t member,
    const struct reason *w)
{
	x->sink.fault(x->sink.ctx, path, w);
	x->sink.classify(x->sink.ctx, member, FAULTED);
}

void
pair_findings(struct pair *x, const struct findings *l, struct text path,
    uint64_t member)
{
	const struct finding *it, *key;
	int is_wanted;
	size_t i;

	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		key = it->kind == FINDING_CERT ? findings_key0(l, it->id) :
						 NULL;
		if (it->kind == FINDING_FAULT) {
			pair_fault(x, path, member, &it->why);
		} else if (key != NULL)
			pair_couple(x, it, key, path, member);
		else if (it->kind == FINDING_CERT)
			pair_lone_cert(x, it, path, member);
		else if (!findings_has_cert(l, it->id))
			pair_lone_key(x, it, path, member);
	}
	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == FINDING_KEY &&
		    pair_partner(x, l, &l->v[i], path, &is_wanted))
			pair_coupled_key(x, &l->v[i], is_wanted, path, member);
}

void
pair_leftovers(struct pair *x, int cut)
{
	struct text none = { NULL, 0 };
	struct held h;
	uint64_t at = 0;
	struct cert *c;
	struct reason w;

	while (shelf_each(x->shelf, &at, &h)) {
		if (h.state == HELD_LEFT)
			x->sink.classify(x->sink.ctx, h.member, SKIPPED);
		if (h.state != HELD_WAITS)
			continue;
		if (h.is_key) {
			reason_set(&w, "no-certificate",
			    cut ? "a private key without a certificate, in "
				  "as much of the backup as could be read" :
				  "a private key without a certificate: add "
				  "its certificate to the backup");
			pair_fault(x, h.source, h.member, &w);
		} else if (cert_new(&c, h.data, h.len, &w)) {
			x->sink.classify(x->sink.ctx, h.member,
			    x->sink.emit(x->sink.ctx, c, NULL, 0, none,
				h.source));
			cert_free(c);
		}
	}
}
