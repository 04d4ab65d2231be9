#ifndef CENSUS_H
#define CENSUS_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ledger.h"
#include "rec.h"
#include "stream.h"
#include "tally.h"
#include "years.h"

/*
 * Counts what records of any type say, and keeps what a report must name: for
 * each certificate its thumbprint and what was said of it, in memory; names
 * and reasons in an unlinked temporary file.  Neither gets a key.
 */

enum census_flags { /* what was said of a certificate */
	CENSUS_KEY = 1, /* exported with its key */
	CENSUS_CERT = 2, /* exported without: of a user, not for signing */
	CENSUS_SIGN = 4, /* exported without: for signing */
	CENSUS_OK = 8, /* verdicts */
	CENSUS_BAD = 16,
	CENSUS_DONE = 32, /* results: archived with its key, or alone */
	CENSUS_TAKEN = 2048,
	CENSUS_PRESENT = 64,
	CENSUS_REFUSED = 128,
	CENSUS_ROW = 256, /* a row of the archive has its key */
	CENSUS_ALONE = 512, /* a row has not */
	CENSUS_CA = 4096, /* exported without: of a CA */
	CENSUS_CLASH = 1024 /* two SHA-256 under this thumbprint */
};

enum { GROUP_USERS, GROUP_KEYS, GROUP_MISSING, GROUP_ROWS, GROUP_LOST };

enum census_place { /* where the key of an exported certificate is */
	PLACE_ARCHIVE,
	PLACE_EARLIER, /* present, but who archived it is not in the input */
	PLACE_REFUSED,
	PLACE_MISSING,
	PLACES
};

struct census {
	int part; /* set by the tool: -P */
	char now[32]; /* when the report is made */
	struct ledger certs, users, others; /* others: archived under another */
	struct tally types, groups, algs, kras, faults, results;
	struct years years;
	/* certificates with a key, exported or in a row */
	unsigned long long keys, v1, expired;
	/* certificates with this flag */
	unsigned long long exported, signing, cas, rows, alone, clashes;
	/* records */
	unsigned long long again, nfaults, nrows, nresults, nverdicts, agents;
	unsigned long long bad, result_faults, refused_records;
	unsigned long long refused_unnamed; /* of them, without a thumbprint */
	unsigned long long unnamed; /* exported, and without one */
	unsigned long long heads, ends, lines, bytes;
	unsigned char sha256[32]; /* of the input */
	/* certificates, after census_end(): exported ones by place, those with
	 * an `ok' verdict, those imported; refused and never archived; without a
	 * key; in rows only */
	unsigned long long place[PLACES], proven, done, refused, lost,
	    only_rows;
	EVP_MD_CTX *md, *id; /* of the input; of a user */
	FILE *fp; /* the temporary file */
	struct rec_out *notes; /* into it */
};

/* Exits 2 if there is no temporary file, or no memory. */
void census_init(struct census *);
void census_free(struct census *);

/* One event of the input: a head, a record, or an end. */
void census_event(struct census *, const struct stream_in *, enum stream_event);

/* All was read. */
void census_end(struct census *);

/* Is there something to compare the export with? */
int census_compares(const struct census *);
enum census_place census_place(const struct census *,
    const struct ledger_entry *);

/* Is it in the archive, be it without its key? */
int census_taken(const struct ledger_entry *);

/* Was it exported, and no key of it is anywhere? */
int census_lost(const struct ledger_entry *);

/* The entry of a note that has sha1, or NULL. */
const struct ledger_entry *census_entry0(struct census *, const struct rec *);

/*
 * Goes through the notes: `key' and `cert' (group user mail serial not_after
 * sha1 source), `fault' (source reason detail), `result' and `verdict' (sha1
 * user status reason; sha1 user id reason where the row has another user),
 * `kra' (sha1 subject not_after), `stream' (id time signer subject).
 */
void census_notes(struct census *, void (*)(void *, const struct rec *),
    void *);

#endif
