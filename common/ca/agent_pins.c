#include "ca/agent_pins.h"

#include <string.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "ca/agent.h"
#include "key/cert.h"
#include "record/trust.h"

int
agent_present(struct store *db, STACK_OF(X509) **out, struct reason *w)
{
	uint8_t hash[20];
	char sha1[41];
	int i, left;

	if (!store_agent_all(db, out, w))
		return 0;
	for (i = sk_X509_num(*out) - 1; i >= 0; i--) {
		if (!X509_digest(sk_X509_value(*out, i), EVP_sha1(), hash,
			NULL))
			heap_nomem();
		left = store_agent_left(db, encode_hex(sha1, hash, 20), w);
		if (left == -1) {
			sk_X509_pop_free(*out, X509_free);
			*out = NULL;
			return 0;
		}
		if (left)
			X509_free(sk_X509_delete(*out, i));
	}
	return 1;
}

int
agent_present_count(struct store *db, uint32_t *n, struct reason *w)
{
	STACK_OF(X509) *agents;

	if (!agent_present(db, &agents, w))
		return 0;
	*n = (uint32_t)sk_X509_num(agents);
	sk_X509_pop_free(agents, X509_free);
	return 1;
}

/* Checks that it may be an agent, or was forced.  Returns 1, or 0 with *w. */
static int
allowed(struct store *db, X509 *x, X509 *ca, const struct cert *c,
    struct reason *w)
{
	struct reason bad;
	char sha1[41];
	int rc;

	encode_hex(sha1, c->sha1, sizeof(c->sha1));
	if (agent_check(x, ca, &bad))
		return 1;
	if ((rc = store_agent_forced(db, sha1, w)) == 0)
		reason_set(w, "kra",
		    "KRA %s: %s: nothing is imported (ca-init -f takes its "
		    "certificate all the same)",
		    c->subject, bad.detail);
	else if (rc == 1)
		msg_warn("warning: KRA %s, forced: %s", c->subject, bad.detail);
	return rc == 1;
}

/* Checks that it is one of those typed.  Returns 1, or 0 with *w. */
static int
pinned(struct agent_pin *pin, size_t n, const struct cert *c, struct reason *w)
{
	struct trust_pair p;
	int known = n == 0;
	size_t t;

	memcpy(p.sha1, c->sha1, sizeof(p.sha1));
	memcpy(p.sha256, c->sha256, sizeof(p.sha256));
	for (t = 0; t < n; t++)
		if (trust_thumbprint(&p, pin[t].thumb))
			known = pin[t].used = 1;
	return known ||
	    reason_set(w, "kra",
		"KRA %s was not given with -t: nothing is "
		"imported",
		c->subject);
}

int
agent_pins_check(struct agent_pin *pin, size_t n, struct store *db,
    STACK_OF(X509) *agents, X509 *ca, struct reason *w)
{
	struct reason bad;
	struct cert *c;
	char hex[41];
	int i, ok = 1;
	size_t t;
	X509 *x;

	for (i = 0; ok && i < sk_X509_num(agents); i++) {
		x = sk_X509_value(agents, i);
		if (!cert_of_x509(&c, x, &bad))
			return reason_set(w, "database",
			    "a KRA certificate of the archive: "
			    "%s " STORE_ALTERED,
			    bad.detail);
		msg_warn("KRA %s, SHA-1 %s", c->subject,
		    encode_hex(hex, c->sha1, 20));
		ok = pinned(pin, n, c, w) && allowed(db, x, ca, c, w);
		cert_free(c);
	}
	if (!ok)
		return 0;
	for (t = 0; t < n; t++)
		if (!pin[t].used)
			return reason_set(w, "kra",
			    "-t %s: the archive has no such KRA: nothing "
			    "is imported",
			    pin[t].thumb);
	return 1;
}
