#ifndef CA_AGENT_PINS_H
#define CA_AGENT_PINS_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "store/store.h"

/*
 * Gives the agents that have not left, in the order in which they came; the
 * caller frees the stack.  Returns 1, or 0 with *w.
 */
int agent_present(struct store *, STACK_OF(X509) **, struct reason *w);
/* Gives the number of these agents.  Returns 1, or 0 with *w. */
int agent_present_count(struct store *, uint32_t *n, struct reason *w);

/* An agent that the archive must have: -t of ca-import(1). */

struct agent_pin {
	const char *thumb; /* as typed */
	int used; /* 1: an agent has this thumbprint */
};

/*
 * Prints each agent on stderr, before anything is encrypted to it.  An agent
 * that agent_check() refuses must have been forced with ca-init.  If n > 0,
 * each agent must have the thumbprint of a pin, and each pin must match an
 * agent.  Returns 1, or 0 with *w.
 */
int agent_pins_check(struct agent_pin *, size_t n, struct store *,
    STACK_OF(X509) *agents, X509 *ca, struct reason *w);

#endif
