#include "export/database.h"

#include <stdio.h>
#include <string.h>

#include "ese/values.h"
#include "export/owner.h"
#include "file/carve.h"
#include "file/value.h"

#define PIECE (64 * 1024) /* bytes to search at a time */

/* Writes a certificate, with its key if that was found too. */
static uint8_t
emit(void *ctx, const struct cert *c, const uint8_t *key, size_t keylen,
    struct text name, struct text source)
{
	struct database *d = ctx;
	struct stream_rec e;

	memset(&e, 0, sizeof(e));
	owner_cert(&e, c, name);
	e.cert = c;
	e.guid.s = "";
	e.source = source;
	e.key = key;
	e.keylen = keylen;
	(void)stream_put(d->out, &e);
	return key == NULL ? CERTS : KEYS;
}

static uint8_t
fault(void *ctx, struct text source, const struct reason *w)
{
	struct database *d = ctx;
	char where[256];

	(void)snprintf(where, sizeof(where), "%.*s", (int)source.n, source.s);
	d->e->fault(d->e->ctx, where, w);
	return FAULTED;
}

static void
classify(void *ctx, uint64_t member, uint8_t class)
{
	(void)ctx;
	(void)member;
	(void)class;
}

static int
named(void *ctx, struct text cert, struct text key)
{
	(void)ctx;
	(void)cert;
	(void)key;
	return 0;
}

/* Takes findings.  The database is one member. */
static void
keep(struct database *d, const char *where, const struct findings *l)
{
	pair_findings(&d->pair, l, (struct text){ where, strlen(where) }, 0);
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
	struct database *d = ctx;
	char source[64];

	/* what has a row is there again, without one */
	if (pair_has(&d->pair, l))
		return;
	(void)snprintf(source, sizeof(source), "stdin@%llu",
	    (unsigned long long)at);
	keep(d, source, l);
}

/* Searches the raw file: pages without a table, rows that were deleted. */
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
		    "searched only in part, because it is crafted to look "
		    "like keys");
}

void
database_put(struct database *d)
{
	const struct values vs = { .e = d->e,
		.catalog = d->catalog,
		.found = in_value,
		.ctx = d };

	d->pair.sink = (struct pair_sink){ d, emit, fault, classify, named,
		"a private key whose certificate is not in the database",
		"the map of kms-export -x" };
	(void)values_each(&vs);
	search(d);
	pair_end(&d->pair);
}
