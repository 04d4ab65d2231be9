#include <openssl/crypto.h>

#include "base/heap.h"
#include "key/cert.h"

/* The strings that it owns, as arguments or as places for them. */
#define STRINGS(c) \
	{ \
		&(c)->issuer, &(c)->subject, &(c)->serial, &(c)->cn, &(c)->ou, \
		    &(c)->org, &(c)->upn, &(c)->mail, &(c)->address, &(c)->ski \
	}

void
cert_pack(const struct cert *c, struct wire *f)
{
	char *const *const all[] = STRINGS(c);
	size_t i;

	wire_add(f, c, sizeof(*c));
	wire_add_bytes(f, c->der, c->len);
	wire_add_bytes(f, c->key, c->keylen);
	wire_add_bytes(f, c->params, c->paramslen);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		wire_add_str(f, *all[i]);
}

struct cert *
cert_unpack(struct wire *f)
{
	struct cert *c = OPENSSL_memdup(wire_next(f, sizeof(*c)), sizeof(*c));
	char **all[] = STRINGS(c);
	size_t i;

	if (c == NULL)
		heap_nomem();
	c->der = wire_dup(f, &c->len);
	c->key = wire_dup(f, &c->keylen);
	c->params = wire_dup(f, &c->paramslen);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = wire_strdup(f);
	return c;
}
