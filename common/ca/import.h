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
 * Makes rows of records, by the rules of [MS-CSRA] 3.1.4.1.26
 * (ImportCertificate) and 3.1.4.2.16 (ImportKey).
 */

struct import {
	/* set by the tool */
	struct store *db;
	int force; /* -f: takes foreign certificates */
	int rekey; /* -E: encrypts keys of the archive anew */
	int drop; /* -D: and drops their older versions */
	const char *requester, *caller;
	/* private */
	STACK_OF(X509) *agents;
	uint8_t (*sha1)[20]; /* of the agents */
	struct archived_key *envelope; /* makes keys for the agents */
	X509 *ca; /* NULL: every certificate is foreign */
	uint32_t flags; /* KRAFlags */
	unsigned dropped; /* versions of keys, in this transaction */
	uint32_t count; /* agents of one key: KRACertCount, or all */
};

/* Loads the agents and the CA.  Returns 1, or 0 with *w. */
int import_start(struct import *, struct reason *w);

/*
 * Reads the settings.  Each transaction does, since somebody may have changed
 * them.  Returns 1, or 0 with *w.
 */
int import_settings(struct import *, struct reason *w);

/*
 * Returns 1 if other processes can encrypt keys before the agents of their rows
 * are known; an EC key of an agent rules that out.
 */
int import_apart(const struct import *);

/* The prove_many_work of an import: proves a record and encrypts its key. */
void import_work(void *import, const struct stream_in *, struct wire *answer);

/*
 * If import_apart(): proves the record at hand and encrypts its key to all
 * agents, or takes the answer of import_work().  bad is 1 if the seal did not
 * open.  The caller frees *p.
 */
void import_candidate(const struct import *, const struct stream_in *, int bad,
    struct wire *answer, struct candidate *p);

/*
 * Writes the row of a candidate, if the rules allow; s has the record.  Returns
 * 1 with the result, or 0 with *w if the import must stop.
 */
int import_row(struct import *, const struct stream_in *s,
    const struct candidate *, struct result *, struct reason *w);

void import_free(struct import *);

#endif
