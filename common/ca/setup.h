#ifndef CA_SETUP_H
#define CA_SETUP_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"
#include "record/write.h"
#include "store/store.h"

/* Sets an archive up: its CA, its agents, its first settings. */

struct setup {
	struct store *db;
	int fresh; /* 1: the archive is new */
	int force; /* -f */
	int leave; /* -D: the agents leave */
	int has_count; /* 1: -N gave count */
	uint32_t count;
	X509 *ca; /* issuer of the agents, owned; NULL: not known */
	struct rec_out *out; /* `kra' records */
	unsigned added; /* agents */
	int changed;
	unsigned back, leaving; /* agents */
	/* " forced=SHA1", " left=SHA1", " back=SHA1" of agents, or NULL */
	char *said;
};

/*
 * Stores the CA certificate (NULL: none was given), or checks that it is the
 * archive's.  Returns 1, or 0 with *w.
 */
int setup_ca(struct setup *, X509 *ca, struct reason *w);

/*
 * Checks an agent, stores it and writes its record.  Returns 1, 0 with *w if it
 * is refused (reason "kra"), or -1 with *w if the archive fails.
 */
int setup_agent(struct setup *, const struct cert *, struct reason *w);

/*
 * Ends encryption to an agent, and writes its record.  Returns 1, 0 with *w if
 * it is no agent of the archive, or -1 with *w if the archive fails.
 */
int setup_leave(struct setup *, const struct cert *, struct reason *w);

/*
 * Stores the settings and commits.  head receives the head of the audit chain,
 * or "" if nothing changed.  Returns 1, or 0 with *w.
 */
int setup_commit(struct setup *, char head[AUDIT_HEAD_MAX], struct reason *w);

#endif
