#include "ca/agent_pins.h"

#include <string.h>

#include "base/encode.h"
#include "base/msg.h"
#include "ca/agent.h"
#include "key/cert.h"
#include "record/trust.h"
#include "store/store.h"

/* Names one agent and checks it.  Returns 1, or 0 with *w. */
static int
check_agent(struct agent_pin *pin, size_t n, X509 *x, X509 *ca,
    struct reason *w)
{
	struct trust_pair p;
	struct cert *c;
	struct reason bad;
	char hex[41];
	size_t t;
	int known = n == 0;

	if (!cert_of_x509(&c, x, &bad))
		return reason_set(w, "database",
		    "a KRA certificate of the archive: %s " STORE_ALTERED,
		    bad.detail);
	memcpy(p.sha1, c->sha1, sizeof(p.sha1));
	memcpy(p.sha256, c->sha256, sizeof(p.sha256));
	msg_warn("KRA %s, SHA-1 %s", c->subject, encode_hex(hex, c->sha1, 20));
	if (!agent_check(x, ca, &bad))
		msg_warn("warning: KRA %s: %s", c->subject, bad.detail);
	for (t = 0; t < n; t++)
		if (trust_thumbprint(&p, pin[t].thumb))
			known = pin[t].used = 1;
	if (!known)
		reason_set(w, "kra",
		    "KRA %s is none of -t: nothing is imported", c->subject);
	cert_free(c);
	return known;
}

int
agent_pins_check(struct agent_pin *pin, size_t n, STACK_OF(X509) *agents,
    X509 *ca, struct reason *w)
{
	size_t t;
	int i;

	for (i = 0; i < sk_X509_num(agents); i++)
		if (!check_agent(pin, n, sk_X509_value(agents, i), ca, w))
			return 0;
	for (t = 0; t < n; t++)
		if (!pin[t].used)
			return reason_set(w, "kra",
			    "-t %s: no KRA of the archive: nothing is "
			    "imported",
			    pin[t].thumb);
	return 1;
}
