#ifndef CA_SETUP_H
#define CA_SETUP_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"
#include "record/write.h"
#include "store/store.h"

/* Setting an archive up: its CA, its agents, its first settings. */

struct setup {
	struct store *db;
	int fresh; /* the archive is new */
	int force; /* -f */
	int leave; /* -D: the agents leave */
	int has_count; /* -N was given: */
	uint32_t count;
	X509 *ca; /* that issues the KRAs; NULL: not known.  Owned */
	struct rec_out *out; /* `kra' records */
	unsigned added; /* agents */
	int changed;
	unsigned back, leaving; /* agents */
	/* " forced=SHA1" of each agent taken with -f, " left=SHA1" and " back=SHA1"
	 * of each that leaves or comes back; or NULL */
	char *said;
};

/*
 * Stores the CA certificate (NULL: none was given), or checks that it is that
 * of the archive.  Returns 1, or 0 with *w.
 */
int setup_ca(struct setup *, X509 *ca, struct reason *w);

/*
 * Checks one KRA, stores it and writes its record.  Returns 1; 0 with *w when
 * it is refused (reason "kra"); -1 with *w when the archive fails.
 */
int setup_agent(struct setup *, const struct cert *, struct reason *w);

/*
 * Nothing is encrypted any more to an agent that leaves; writes its record.
 * Returns 1; 0 with *w if it is no agent of the archive; -1 with *w when the
 * archive fails.
 */
int setup_leave(struct setup *, const struct cert *, struct reason *w);

/*
 * Stores the settings and commits; head receives the head of the audit chain,
 * or "" if nothing changed.  Returns 1, or 0 with *w.
 */
int setup_commit(struct setup *, char head[AUDIT_HEAD_MAX], struct reason *w);

#endif
