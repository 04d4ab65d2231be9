#ifndef CA_IMPORT_H
#define CA_IMPORT_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "ca/archived_key.h"
#include "ca/replica.h"
#include "record/stream_read.h"
#include "record/write.h"
#include "store/store.h"

/*
 * From records to rows: the rules of [MS-CSRA] 3.1.4.1.26 (ImportCertificate)
 * and 3.1.4.2.16 (ImportKey), one `result' for each record, after its commit.
 */

struct import {
	/* set by the tool */
	struct store *db;
	int force; /* -f: foreign certificates */
	int dry; /* -n */
	const char *requester, *caller;
	/* own */
	STACK_OF(X509) *kras;
	uint8_t (*sha1)[20]; /* of kras */
	struct archived_key *envelope; /* to kras */
	X509 *ca; /* NULL: everything is foreign */
	uint32_t flags, count; /* KRAFlags, KRACertCount */
	FILE *mem; /* results that wait */
	char *text;
	size_t textlen;
	struct rec_out *out;
	int open; /* a transaction is */
	struct timespec since; /* when it was begun */
	unsigned waiting;
	unsigned long long read, imported, updated, present, ignored, refused,
	    faults;
	unsigned long long keys; /* of those imported, with their key */
	char head[AUDIT_HEAD_MAX];
	struct replica copy; /* of another archive */
	struct held **held; /* nheld records that wait, size bytes */
	size_t nheld, size;
};

/* Loads KRAs, CA and settings.  Returns 1, or 0 with *w. */
int import_start(struct import *, struct reason *w);

/*
 * Returns 1 if records can be proven, and encrypted to the KRAs, by other
 * processes; an EC key among those of the KRAs rules that out.
 */
int import_side_by_side(const struct import *);

/* The prove_many_work of an import. */
void import_prove(void *import, const struct stream_in *, struct wire *answer);

/*
 * Takes the record at hand of s; bad tells that its seal did not open; answer
 * is that of import_prove(), or NULL if it is still to be proven.  Returns 1, or
 * 0 with *w when the import must stop.
 */
int import_record(struct import *, const struct stream_in *, int bad,
    struct wire *answer, struct reason *w);

/*
 * Returns 1 when results should wait no longer: a second has passed, or no
 * record can be had soon, and none is on its way (busy).
 */
int import_due(const struct import *, struct rec_in *, int busy);

/* Commits what waits and writes its results.  Returns 1, or 0 with *w. */
int import_commit(struct import *, struct reason *w);

/* Writes `end' to stdout.  Returns 1, or -1 if output was lost. */
int import_end(struct import *);

void import_free(struct import *);

#endif
