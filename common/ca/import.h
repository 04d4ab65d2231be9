#ifndef CA_IMPORT_H
#define CA_IMPORT_H

#include <openssl/x509.h>
#include <stdint.h>

#include "ca/archived_key.h"
#include "ca/candidate.h"
#include "ca/result.h"
#include "record/stream_read.h"
#include "store/store.h"

/*
 * From records to rows: the rules of [MS-CSRA] 3.1.4.1.26 (ImportCertificate)
 * and 3.1.4.2.16 (ImportKey).
 */

struct import {
	/* set by the tool */
	struct store *db;
	int force; /* -f: foreign certificates may come in */
	int rekey; /* -E: keys that are there are encrypted anew, */
	int drop; /* -D: and where that is done, older versions are dropped */
	const char *requester, *caller;
	/* own */
	STACK_OF(X509) *agents;
	uint8_t (*sha1)[20]; /* of the agents */
	struct archived_key *envelope; /* to the agents */
	X509 *ca; /* NULL: every certificate is foreign */
	uint32_t flags; /* KRAFlags */
	unsigned dropped; /* versions of keys, in this transaction */
	uint32_t count; /* agents of one key: KRACertCount, or all */
};

/* Loads the agents and the CA.  Returns 1, or 0 with *w. */
int import_start(struct import *, struct reason *w);

/*
 * Reads the settings, which each transaction does: somebody may have changed
 * them.  Returns 1, or 0 with *w.
 */
int import_settings(struct import *, struct reason *w);

/*
 * Returns 1 if keys can be encrypted before the agents of their rows are known,
 * and by other processes; an EC key among those of the agents rules that out.
 */
int import_apart(const struct import *);

/* The prove_many_work of an import: proves a record and encrypts its key. */
void import_work(void *import, const struct stream_in *, struct wire *answer);

/*
 * Where import_apart() is 1: proves the record at hand and encrypts its key to
 * all agents, or takes the answer of import_work().  bad tells that the seal did not open.  Caller frees *p.
 */
void import_candidate(const struct import *, const struct stream_in *, int bad,
    struct wire *answer, struct candidate *p);

/*
 * Writes the row of a candidate, if the rules have it so.  s says what the
 * record is.  Returns 1 with what came of it, or 0 with *w: the import must
 * stop.
 */
int import_row(struct import *, const struct stream_in *s,
    const struct candidate *, struct result *, struct reason *w);

void import_free(struct import *);

#endif
