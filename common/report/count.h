#ifndef REPORT_COUNT_H
#define REPORT_COUNT_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "record/rec.h"
#include "record/stream_read.h"
#include "record/stream_write.h"
#include "report/notes.h"
#include "report/tally.h"
#include "report/years.h"

/*
 * Counts what records say.  Memory holds the thumbprint of each certificate and
 * what was said of it; what a list must name goes to notes.
 *
 *	record		written by	what is counted
 *	key, cert	kms-export	certificates with and without their key
 *	fault		kms-export	what could not be read, by reason
 *	archived	ca-export	rows of the archive, and who opens them
 *	result		ca-import	what became of each record
 *	verdict		kms-verify -r	records in order
 *	verdict, kra	ca-recover -r	keys that an agent opened
 *	kra		ca-init		names and dates of agents
 *	audited		ca-audit	whether the archive was altered
 *	stream		kms-export	who signed
 *
 * In a sealed stream only key, cert and fault count, since the exporter has no
 * say in what the archive holds.
 */

#define COUNT_MAX (16 * 1024 * 1024) /* certificates, or users */
#define COUNT_ID  20 /* bytes of a thumbprint */

enum count_flags { /* what was said of a certificate */
	COUNT_KEY = 1 << 0, /* exported with its key */
	COUNT_CERT = 1 << 1, /* exported without: of a user, not for signing */
	COUNT_SIGN = 1 << 2, /* exported without: for signing */
	COUNT_CA = 1 << 3, /* exported without: of a CA */
	COUNT_OK = 1 << 4, /* verdicts of kms-verify */
	COUNT_BAD = 1 << 5,
	COUNT_DONE = 1 << 6, /* results: archived with its key */
	COUNT_TAKEN = 1 << 7, /* results: archived alone */
	COUNT_PRESENT = 1 << 8,
	COUNT_REFUSED = 1 << 9,
	COUNT_ROW = 1 << 10, /* a row of the archive has its key */
	COUNT_ALONE = 1 << 11, /* a row has it without its key */
	COUNT_CLASH = 1 << 12 /* two SHA-256 under this thumbprint */
};

struct count_cert { /* a certificate */
	uint8_t id[COUNT_ID]; /* SHA-1 */
	uint8_t check[8]; /* of its SHA-256 */
	uint16_t flags; /* enum count_flags */
	uint16_t why; /* row of refusals, from 1; 0: not refused, or past it */
};

enum count_place { /* where the key of an exported certificate is */
	PLACE_ARCHIVE,
	PLACE_EARLIER, /* present; the log that archived it is not here */
	PLACE_REFUSED,
	PLACE_MISSING,
	PLACES
};

/* Columns of the tallies. */
enum { GROUP_USERS, GROUP_KEYS, GROUP_MISSING, GROUP_ROWS, GROUP_LOST };
enum { AGENT_KEYS, AGENT_OPENED, AGENT_SHUT, AGENT_NOTED, AGENT_NAMED };

struct count {
	int part; /* set by the tool: -P */
	char now[24]; /* time of the report */

	struct table certs; /* of struct count_cert */
	struct table pairs; /* hashes of what was seen: see first() */
	struct tally types, groups, algs, agents, faults, results, refusals;
	struct years years;
	struct notes notes;

	/* certificates with a key, exported or in a row */
	unsigned long long keys, expired;
	unsigned long long versions, v1; /* those whose version is known */
	unsigned long long users; /* who have a key, exported or in a row */

	/* certificates with a flag */
	unsigned long long exported, signing, cas, rows, alone, clashes;

	/* what an export has */
	unsigned long long nexport; /* key, cert and fault records */
	unsigned long long key_records, members; /* that hold keys */
	struct stream_sum sum; /* of the ends of exports */
	unsigned long long again; /* records of a certificate seen before */
	unsigned long long unnamed; /* records without a thumbprint */
	unsigned long long nfaults; /* each source and reason once */
	unsigned long long nholding; /* of them, those that may hold keys */

	/* what the archive and its tools say */
	unsigned long long nrows, most_agents; /* most: that a key has */
	unsigned long long locks; /* agents of all keys, added up */
	unsigned long long nresults, result_faults, refused_records;
	unsigned long long refused_unnamed; /* those without a thumbprint */
	unsigned long long others; /* archived under another user */
	unsigned long long nverdicts, bad;
	unsigned long long nopened, shut; /* keys that an agent tried */
	unsigned long long naudits, altered;
	char audit_head[TALLY_TEXT], audit_why[TALLY_TEXT];
	unsigned long long nagents; /* kra records */

	/* the input */
	unsigned long long strays; /* of another type, in a sealed stream */
	unsigned long long heads, ends, lines, bytes;
	uint8_t sha256[32];

	/* after count_end(): certificates */
	unsigned long long place[PLACES]; /* exported keys */
	unsigned long long proven; /* exported keys with an `ok' verdict */
	unsigned long long done; /* exported keys that were imported */
	unsigned long long
	    imported; /* keys that were imported, of any export */
	unsigned long long refused; /* refused and never archived */
	unsigned long long lost; /* without their key */
	unsigned long long only_rows; /* keys of rows, not exported */
	unsigned long long
	    fewer; /* keys of rows, with fewer than most_agents */
	unsigned long long old_agents; /* that have expired */

	EVP_MD_CTX *md, *id; /* of the input; of a pair */
};

/* Exits 2 if there is no temporary file or no memory. */
void count_init(struct count *);
void count_free(struct count *);

/* Counts one event of the input: a head, a record, or an end. */
void count_event(struct count *, const struct stream_in *, enum stream_event);

/* Counts what only the end of the input shows. */
void count_end(struct count *);

/* Returns 1 if the input has an export and something to compare it with. */
int count_compares(const struct count *);

/* Returns where the key of an exported certificate is. */
enum count_place count_place(const struct count *, const struct count_cert *);

/* Returns 1 if the certificate is in the archive, even without its key. */
int count_taken(const struct count_cert *);

/* Returns 1 if the certificate is a user's, and its key is nowhere. */
int count_lost(const struct count_cert *);

/* Returns 1 if this user of this group has a key. */
int count_has_key(struct count *, struct text group, struct text user);

/* Returns 1 if something with this fault may hold keys. */
int count_may_hold(const struct rec *);

/* Returns 1 if a time of a certificate is before that of the report. */
int count_is_over(const struct count *, const struct rec *, const char *label);

/* Returns the certificate of a note, or NULL if its sha1 is none. */
const struct count_cert *count_cert0(struct count *, const struct rec *);

#endif
