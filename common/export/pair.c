#include "export/pair.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/msg.h"

/* A certificate in the chain of a key. */
struct pair_cert {
	struct held h;
	int rank; /* 2: in the key's file, or named; 1: in its folder; else 0 */
	char *mail; /* if there is another certificate */
	int out; /* a record of it was written */
};

/* All that the shelf has of one public key. */
struct pair_chain {
	struct held *key; /* all copies, by folder */
	size_t nkeys, key_room;
	size_t first; /* the copy whose source is first in the alphabet */
	struct pair_cert *cert;
	size_t ncerts, cert_room;
	uint8_t *p8; /* the key, once it is needed */
	size_t n;
};

static void
pair_classify(struct pair *x, uint64_t member, uint8_t class)
{
	x->sink.classify(x->sink.ctx, member, class);
}

void
pair_fault(struct pair *x, struct text path, uint64_t member,
    const struct reason *w)
{
	pair_classify(x, member, x->sink.fault(x->sink.ctx, path, w));
}

/* Keeps a key or certificate for pair_end(). */
static void
pair_keep(struct pair *x, const struct finding *it, struct text path,
    uint64_t member, int own, int done)
{
	struct held h = { .is_key = it->kind == FINDING_KEY,
		.own = own,
		.done = done,
		.member = member,
		.source = path,
		.name = { it->name, it->namelen } };
	uint8_t *p8;
	size_t n;

	memcpy(h.id, it->id, sizeof(h.id));
	if (h.is_key) {
		p8 = finding_key1(it, &n);
		shelf_put(x->shelf, &h, p8, n);
		OPENSSL_secure_clear_free(p8, n);
	} else {
		memcpy(h.sha256, it->cert->sha256, sizeof(h.sha256));
		shelf_put(x->shelf, &h, it->cert->der, it->cert->len);
	}
}

/* Writes a certificate and its key, of one member. */
static void
pair_couple(struct pair *x, const struct finding *it, const struct finding *key,
    struct text path, uint64_t member)
{
	struct text name = { it->name, it->namelen };
	struct held h;
	int before = shelf_came(x->shelf, it->cert->sha256, &h);
	uint8_t class, *p8;
	size_t n;

	/* a file may hold a certificate twice */
	if (before && h.own && h.member == member) {
		held_free(&h);
		return;
	}
	if (name.n == 0)
		name = (struct text){ key->name, key->namelen };
	p8 = finding_key1(key, &n);
	class = x->sink.emit(x->sink.ctx, it->cert, p8, n, name, path);
	OPENSSL_secure_clear_free(p8, n);
	pair_classify(x, member, class);
	if (!before) {
		pair_keep(x, it, path, member, 1, class != SKIPPED);
		return;
	}
	h.own = 1;
	h.done |= class != SKIPPED;
	shelf_update(x->shelf, &h);
	held_free(&h);
}

void
pair_findings(struct pair *x, const struct findings *l, struct text path,
    uint64_t member)
{
	const struct finding *it, *key;
	size_t i;

	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		if (it->kind == FINDING_FAULT)
			pair_fault(x, path, member, &it->why);
		else if (it->kind == FINDING_KEY)
			pair_keep(x, it, path, member,
			    findings_has_cert(l, it->id), 0);
		else if ((key = findings_key0(l, it->id)) != NULL)
			pair_couple(x, it, key, path, member);
		else
			pair_keep(x, it, path, member, 0, 0);
	}
}

int
pair_has(struct pair *x, const struct findings *l)
{
	struct held h;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].kind == FINDING_KEY &&
		    shelf_has_key(x->shelf, l->v[i].id))
			continue;
		if (l->v[i].kind != FINDING_CERT ||
		    !shelf_came(x->shelf, l->v[i].cert->sha256, &h))
			return 0;
		held_free(&h);
	}
	return 1;
}

static int
pair_by_folder(const void *a, const void *b)
{
	const struct held *p = a, *q = b;

	return memcmp(p->folder, q->folder, sizeof(p->folder));
}

static int
pair_compare(struct text a, struct text b)
{
	int rc = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return rc != 0 ? rc : (a.n > b.n) - (a.n < b.n);
}

static int
pair_by_source(const void *a, const void *b)
{
	const struct pair_cert *p = a, *q = b;

	return pair_compare(p->h.source, q->h.source);
}

/* Reads the chain that begins with h. */
static void
pair_load(struct pair *x, struct pair_chain *ch, struct held *h)
{
	struct pair_cert *c;
	size_t i;

	memset(ch, 0, sizeof(*ch));
	do {
		if (h->is_key) {
			ch->key = array_grow(ch->key, &ch->key_room,
			    ch->nkeys + 1, sizeof(*ch->key));
			ch->key[ch->nkeys++] = *h;
		} else {
			ch->cert = array_grow(ch->cert, &ch->cert_room,
			    ch->ncerts + 1, sizeof(*ch->cert));
			c = memset(&ch->cert[ch->ncerts++], 0, sizeof(*c));
			c->h = *h;
		}
		h->body = NULL;
	} while (shelf_next(x->shelf, h));
	if (ch->nkeys > 1)
		qsort(ch->key, ch->nkeys, sizeof(*ch->key), pair_by_folder);
	if (ch->ncerts > 1)
		qsort(ch->cert, ch->ncerts, sizeof(*ch->cert), pair_by_source);
	for (i = 1; i < ch->nkeys; i++)
		if (pair_compare(ch->key[i].source, ch->key[ch->first].source) <
		    0)
			ch->first = i;
}

static void
pair_unload(struct pair_chain *ch)
{
	size_t i;

	for (i = 0; i < ch->nkeys; i++)
		held_free(&ch->key[i]);
	for (i = 0; i < ch->ncerts; i++) {
		held_free(&ch->cert[i].h);
		free(ch->cert[i].mail);
	}
	OPENSSL_free(ch->key);
	OPENSSL_free(ch->cert);
	OPENSSL_secure_clear_free(ch->p8, ch->n);
}

/* Returns the copy of the key in the folder of a certificate, or NULL. */
static const struct held *
pair_beside0(const struct pair_chain *ch, const struct held *cert)
{
	return bsearch(cert, ch->key, ch->nkeys, sizeof(*ch->key),
	    pair_by_folder);
}

/*
 * Groups the certificates; issuers also joins those that one issuer signed.
 * Returns the number of groups.
 */
static size_t
pair_group(struct pair *x, struct pair_chain *ch, int issuers)
{
	struct pair_cert *c;
	struct cert *cert;
	size_t i;

	if (!issuers)
		agree_clear(x->agree);
	for (i = 0; i < ch->ncerts; i++) {
		c = &ch->cert[i];
		cert = shelf_cert(x->shelf, &c->h);
		if (issuers)
			agree_issuer(x->agree, i, cert, x->shelf);
		else {
			agree_add(x->agree, cert);
			if ((c->mail = strdup(cert->address)) == NULL)
				heap_nomem();
		}
		cert_free(cert);
	}
	return agree_groups(x->agree);
}

/*
 * Decides which certificates are the key's, and sets right[] of each.  Those in
 * its file or named by the map win, else those in its folder; and with them all
 * that agree.  Returns 0 if that leaves more than one group: then none is
 * right.
 */
static int
pair_decide(struct pair *x, struct pair_chain *ch, int *right)
{
	size_t i, won = 0;
	int best = 0, ok, *wins;
	struct pair_cert *c;
	struct held first;

	for (i = 0; i < ch->ncerts; i++) {
		c = &ch->cert[i];
		(void)shelf_came(x->shelf, c->h.sha256, &first);
		c->rank = pair_beside0(ch, &c->h) != NULL;
		if (first.own ||
		    x->sink.named(x->sink.ctx, c->h.source,
			ch->key[ch->first].source))
			c->rank = 2;
		held_free(&first);
		best = c->rank > best ? c->rank : best;
		right[i] = 1;
	}
	if (ch->ncerts == 1 || pair_group(x, ch, 0) == 1 ||
	    pair_group(x, ch, 1) == 1)
		return 1;
	if ((wins = calloc(ch->ncerts, sizeof(*wins))) == NULL)
		heap_nomem();
	for (i = 0; i < ch->ncerts; i++)
		if (ch->cert[i].rank == best) {
			won += !wins[agree_group(x->agree, i)];
			wins[agree_group(x->agree, i)] = 1;
		}
	ok = best == 2 || won == 1;
	for (i = 0; i < ch->ncerts; i++)
		right[i] = ok && wins[agree_group(x->agree, i)];
	free(wins);
	return ok;
}

/*
 * Writes a certificate with the key, as if both had been at the key's place or,
 * if -g and -u do not want that, at the certificate's.  Returns the result for
 * the key's member.
 */
static uint8_t
pair_emit(struct pair *x, struct pair_chain *ch, struct pair_cert *c)
{
	const struct held *key = pair_beside0(ch, &c->h);
	struct text name = c->h.name;
	struct cert *cert;
	struct held first;
	uint8_t class;

	(void)shelf_came(x->shelf, c->h.sha256, &first);
	c->out = first.done;
	if (first.done) {
		held_free(&first);
		pair_classify(x, c->h.member, CERTS);
		return KEYS;
	}
	if (key == NULL)
		key = &ch->key[ch->first];
	if (name.n == 0)
		name = key->name;
	if (ch->p8 == NULL)
		ch->p8 = shelf_key1(x->shelf, key, &ch->n);
	cert = shelf_cert(x->shelf, &c->h);
	class = x->sink.emit(x->sink.ctx, cert, ch->p8, ch->n, name,
	    key->source);
	if (class == SKIPPED)
		class = x->sink.emit(x->sink.ctx, cert, ch->p8, ch->n, name,
		    c->h.source);
	cert_free(cert);
	pair_classify(x, c->h.member, class == SKIPPED ? SKIPPED : CERTS);
	c->out = first.done = class != SKIPPED;
	shelf_update(x->shelf, &first);
	held_free(&first);
	return class;
}

/*
 * Adds a fault if the key went out under two mail addresses, unless both
 * certificates came in its file or the map names them.
 */
static void
pair_say(struct pair *x, const struct pair_chain *ch)
{
	const struct pair_cert *one = NULL, *two = NULL, *c;
	char a[128], b[128], path[256];
	struct reason w;
	int sure = 1;

	if (ch->ncerts < 2)
		return;
	for (c = ch->cert; c < ch->cert + ch->ncerts; c++) {
		if (!c->out || c->mail == NULL || *c->mail == '\0')
			continue;
		if (one == NULL)
			one = c;
		else if (strcasecmp(one->mail, c->mail) != 0 &&
		    (two == NULL || c->rank < two->rank))
			two = c;
		sure &= c->rank == 2;
	}
	if (two == NULL)
		return;
	reason_set(&w, "certificate",
	    "one key goes out under two mail addresses, %s and %s%s%s",
	    text_vis(a, sizeof(a), one->mail, strlen(one->mail)),
	    text_vis(b, sizeof(b), two->mail, strlen(two->mail)),
	    sure ? "" : ": if both are one person's, name it in ",
	    sure ? "" : x->sink.map);
	if (!sure)
		pair_fault(x, two->h.source, two->h.member, &w);
	else
		msg_warn("%s: %s",
		    text_vis(path, sizeof(path), two->h.source.s,
			two->h.source.n),
		    w.detail);
}

/* Writes a key and its certificates. */
static void
pair_key(struct pair *x, struct pair_chain *ch)
{
	const struct held *key = &ch->key[ch->first];
	uint8_t class = SKIPPED, one;
	struct reason lone, other;
	const char *spent = "";
	char path[256];
	int *right = calloc(ch->ncerts + 1, sizeof(*right));
	int ok;
	size_t i;

	if (right == NULL)
		heap_nomem();
	ok = ch->ncerts > 0 && pair_decide(x, ch, right);
	if (agree_spent(x->agree))
		spent = " (so many issuers were looked up that the ceiling is "
			"reached, and the others were not)";
	reason_set(&other, "certificate",
	    "a certificate of somebody else for the key in %s: neither "
	    "subject, mail address nor issuer agree%s: it is not exported; if "
	    "it is right, name it in %s",
	    text_vis(path, sizeof(path), key->source.s, key->source.n), spent,
	    x->sink.map);
	if (ch->ncerts == 0)
		reason_set(&lone, "no-certificate", "%s", x->sink.lone);
	else
		reason_set(&lone, "certificate",
		    "a private key whose certificates disagree on whose it "
		    "is%s: name the right one in %s",
		    spent, x->sink.map);
	for (i = 0; i < ch->ncerts; i++)
		if (right[i]) {
			one = pair_emit(x, ch, &ch->cert[i]);
			class = one > class ? one : class;
		} else
			pair_fault(x, ch->cert[i].h.source,
			    ch->cert[i].h.member, &other);
	for (i = 0; i < ch->nkeys; i++) {
		/* copies in one member, as of -x, are one fault */
		if (ch->key[i].own ||
		    (i != ch->first && ch->key[i].member == key->member))
			continue;
		if (ok)
			pair_classify(x, ch->key[i].member, class);
		else
			pair_fault(x, ch->key[i].source, ch->key[i].member,
			    &lone);
	}
	pair_say(x, ch);
	free(right);
}

/* Writes certificates without a key, each once. */
static void
pair_certs(struct pair *x, struct pair_chain *ch)
{
	struct pair_cert *c;
	struct cert *cert;
	struct held first;
	uint8_t class;
	size_t i;

	for (i = 0; i < ch->ncerts; i++) {
		c = &ch->cert[i];
		(void)shelf_came(x->shelf, c->h.sha256, &first);
		class = CERTS;
		if (!first.done) {
			cert = shelf_cert(x->shelf, &c->h);
			class = x->sink.emit(x->sink.ctx, cert, NULL, 0,
			    c->h.name, c->h.source);
			cert_free(cert);
			first.done = class != SKIPPED;
			shelf_update(x->shelf, &first);
		}
		pair_classify(x, c->h.member, class);
		held_free(&first);
	}
}

void
pair_end(struct pair *x)
{
	struct pair_chain ch;
	struct held h;
	size_t at = 0;

	x->agree = agree_new();
	while (shelf_chains(x->shelf, &at, &h)) {
		pair_load(x, &ch, &h);
		if (ch.nkeys > 0)
			pair_key(x, &ch);
		else
			pair_certs(x, &ch);
		pair_unload(&ch);
	}
	agree_free(x->agree);
}
