#include "export/database.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "ese/values.h"
#include "export/owner.h"
#include "file/carve.h"
#include "file/value.h"

#define PIECE (64 * 1024) /* bytes to search at a time */

/* Puts what was found on the shelf, if it was not found before. */
static void
keep(struct database *d, const char *where, const struct findings *l)
{
	struct text source = { where, strlen(where) };
	const struct finding *it;
	struct held h;
	uint8_t *p8;
	size_t i, n, pos;

	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		pos = 0;
		if (it->kind == FINDING_FAULT)
			d->e->fault(d->e->ctx, where, &it->why);
		else if (it->kind == FINDING_CERT &&
		    !shelf_came(d->shelf, it->cert, &h))
			shelf_cert(d->shelf, it->cert, HELD_WAITS, source, 0);
		else if (it->kind == FINDING_KEY &&
		    !shelf_find(d->shelf, it->id, 1, &pos, &h)) {
			p8 = finding_key1(it, &n);
			shelf_key(d->shelf, it->id, p8, n, HELD_WAITS, source,
			    0);
			OPENSSL_secure_clear_free(p8, n);
		}
	}
	shelf_forget(d->shelf);
}

static void
in_value(void *ctx, const char *source, const uint8_t *p, size_t n)
{
	struct database *d = ctx;
	struct findings l = { NULL, 0 };

	if (!value_may(p, n))
		return;
	value_read(p, n, &d->none, &l);
	keep(d, source, &l);
	findings_free(&l);
}

static void
in_file(void *ctx, uint64_t at, struct findings *l)
{
	char source[64];

	(void)snprintf(source, sizeof(source), "stdin@%llu",
	    (unsigned long long)at);
	keep(ctx, source, l);
}

/* Searches the file as it is: pages that no table has, rows that are gone. */
static void
search(struct database *d)
{
	struct carve c = { .found = in_file, .ctx = d, .secrets = &d->none };
	static uint8_t piece[PIECE];
	uint64_t at;
	size_t n;

	for (at = 0; at < d->e->size; at += n) {
		n = d->e->size - at < PIECE ? (size_t)(d->e->size - at) : PIECE;
		if (!ese_read(d->e, at, piece, n))
			break;
		carve_feed(&c, piece, n);
	}
	if (!carve_end(&c))
		ese_fault(d->e, "", "ceiling",
		    "searched in part, for it is made to look like keys");
}

/* Writes a certificate, with its key if that is there too. */
static void
put(struct database *d, const struct held *cert)
{
	struct text none = { NULL, 0 };
	struct stream_rec e;
	struct reason w;
	struct held key;
	struct cert *c;
	char *source;
	size_t pos = 0;

	if (!cert_new(&c, cert->data, cert->len, &w))
		return;
	if ((source = strndup(cert->source.s, cert->source.n)) == NULL)
		heap_nomem();
	memset(&e, 0, sizeof(e));
	owner_cert(&e, c, none);
	e.cert = c;
	e.guid.s = "";
	e.source = (struct text){ source, cert->source.n };
	if (shelf_find(d->shelf, c->id, 1, &pos, &key)) {
		e.key = key.data;
		e.keylen = key.len;
	}
	(void)stream_put(d->out, &e);
	free(source);
	cert_free(c);
}

void
database_put(struct database *d)
{
	struct values vs = { .e = d->e,
		.catalog = d->catalog,
		.found = in_value,
		.ctx = d };
	char source[256];
	struct held h, cert;
	struct reason w;
	uint64_t at = 0;
	size_t pos;

	values_each(&vs);
	search(d);
	while (shelf_each(d->shelf, &at, &h)) {
		pos = 0;
		if (!h.is_key) {
			put(d, &h);
			continue;
		}
		(void)snprintf(source, sizeof(source), "%.*s", (int)h.source.n,
		    h.source.s);
		if (shelf_find(d->shelf, h.id, 0, &pos, &cert))
			continue;
		reason_set(&w, "no-certificate",
		    "a private key whose certificate is not in the database");
		d->e->fault(d->e->ctx, source, &w);
	}
}
