#ifndef REPORT_COUNT_H
#define REPORT_COUNT_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/table.h"
#include "record/stream_read.h"
#include "record/write.h"
#include "report/tally.h"
#include "report/years.h"

/*
 * Counts what records of any type say, and keeps what a report must name: for
 * each certificate its thumbprint and what was said of it, in memory; names
 * and reasons in an unlinked temporary file.  Neither gets a key.
 */

#define COUNT_MAX (16 * 1024 * 1024) /* certificates, or users */
#define COUNT_ID  20 /* bytes of a thumbprint */

struct count_entry { /* a certificate */
	uint8_t id[COUNT_ID]; /* SHA-1 */
	uint8_t check[8]; /* of its SHA-256 */
	uint32_t flags; /* enum count_flags */
};

enum count_flags { /* what was said of a certificate */
	COUNT_KEY = 1, /* exported with its key */
	COUNT_CERT = 2, /* exported without: of a user, not for signing */
	COUNT_SIGN = 4, /* exported without: for signing */
	COUNT_OK = 8, /* verdicts */
	COUNT_BAD = 16,
	COUNT_DONE = 32, /* results: archived with its key, or alone */
	COUNT_TAKEN = 2048,
	COUNT_PRESENT = 64,
	COUNT_REFUSED = 128,
	COUNT_ROW = 256, /* a row of the archive has its key */
	COUNT_ALONE = 512, /* a row has not */
	COUNT_CA = 4096, /* exported without: of a CA */
	COUNT_CLASH = 1024 /* two SHA-256 under this thumbprint */
};

enum { GROUP_USERS, GROUP_KEYS, GROUP_MISSING, GROUP_ROWS, GROUP_LOST };

enum count_place { /* where the key of an exported certificate is */
	PLACE_ARCHIVE,
	PLACE_EARLIER, /* present, but who archived it is not in the input */
	PLACE_REFUSED,
	PLACE_MISSING,
	PLACES
};

struct count {
	int part; /* set by the tool: -P */
	char now[24]; /* when the report is made */
	struct table certs; /* of struct count_entry */
	struct table users, others; /* others: archived under another */
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
	/* certificates, after count_end(): exported ones by place, those with
	 * an `ok' verdict, those imported; refused and never archived; without a
	 * key; in rows only */
	unsigned long long place[PLACES], proven, done, refused, lost,
	    only_rows;
	EVP_MD_CTX *md, *id; /* of the input; of a user */
	FILE *fp; /* the temporary file */
	struct rec_out *notes; /* into it */
};

/* Exits 2 if there is no temporary file, or no memory. */
void count_init(struct count *);
void count_free(struct count *);

/* One event of the input: a head, a record, or an end. */
void count_event(struct count *, const struct stream_in *, enum stream_event);

/* All was read. */
void count_end(struct count *);

/* Is there something to compare the export with? */
int count_compares(const struct count *);
enum count_place count_place(const struct count *, const struct count_entry *);

/* Is it in the archive, be it without its key? */
int count_taken(const struct count_entry *);

/* Was it exported, and no key of it is anywhere? */
int count_lost(const struct count_entry *);

/* The entry of a note that has sha1, or NULL. */
const struct count_entry *count_entry0(struct count *, const struct rec *);

/*
 * Goes through the notes: `key' and `cert' (group user mail serial not_after
 * sha1 source), `fault' (source reason detail), `result' and `verdict' (sha1
 * user status reason; sha1 user id reason where the row has another user),
 * `kra' (sha1 subject not_after), `stream' (id time signer subject).
 */
void count_notes(struct count *, void (*)(void *, const struct rec *), void *);

#endif
