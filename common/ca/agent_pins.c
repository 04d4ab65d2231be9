#include "ca/agent_pins.h"

#include <string.h>

#include "base/encode.h"
#include "base/msg.h"
#include "ca/agent.h"
#include "key/cert.h"
#include "record/trust.h"

/* May it be an agent, or was it forced?  Returns 1, or 0 with *w. */
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

/* Is it one of those typed?  Returns 1, or 0 with *w. */
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
	    reason_set(w, "kra", "KRA %s is none of -t: nothing is imported",
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
			    "-t %s: no KRA of the archive: nothing is "
			    "imported",
			    pin[t].thumb);
	return 1;
}
