#include <openssl/crypto.h>

#include "cert.h"
#include "tool.h"

/* The strings that it owns; put, or where to put them. */
#define STRINGS(c) \
	{ \
		&(c)->issuer, &(c)->subject, &(c)->serial, &(c)->cn, &(c)->ou, \
		    &(c)->org, &(c)->upn, &(c)->mail, &(c)->ski \
	}

void
cert_pack(const struct cert *c, struct flat *f)
{
	char *const *const all[] = STRINGS(c);
	size_t i;

	flat_add(f, c, sizeof(*c));
	flat_add_bytes(f, c->der, c->len);
	flat_add_bytes(f, c->key, c->keylen);
	flat_add_bytes(f, c->params, c->paramslen);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		flat_add_str(f, *all[i]);
}

struct cert *
cert_unpack(struct flat *f)
{
	struct cert *c = OPENSSL_memdup(flat_next(f, sizeof(*c)), sizeof(*c));
	char **all[] = STRINGS(c);
	size_t i;

	if (c == NULL)
		tool_nomem();
	c->der = flat_dup(f, &c->len);
	c->key = flat_dup(f, &c->keylen);
	c->params = flat_dup(f, &c->paramslen);
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		*all[i] = flat_strdup(f);
	return c;
}
