#ifndef EXPORT_PAIR_H
#define EXPORT_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "export/agree.h"
#include "export/shelf.h"
#include "file/findings.h"
#include "key/cert.h"

/*
 * Pairs keys with certificates.  Those of one file are paired at once.  The
 * rest waits on the shelf until the whole backup was read, so that its order
 * decides nothing: anybody can make a certificate of somebody else's public
 * key, and drop it into a backup.
 */

/* The result for a member: the greatest of those that apply. */
enum { NOTHING, SKIPPED, CERTS, FAULTED, KEYS };

/* Receives the results.  Each function is given ctx. */
struct pair_sink {
	void *ctx;
	/*
	 * Writes a certificate, with its key unless key is NULL or must not
	 * leave.  Returns the result for the member.
	 */
	uint8_t (*emit)(void *ctx, const struct cert *, const uint8_t *key,
	    size_t keylen, struct text name, struct text source);
	/* Writes a fault.  Returns the result for the member. */
	uint8_t (*fault)(void *ctx, struct text source, const struct reason *);
	/* Notes the result for a member. */
	void (*classify)(void *ctx, uint64_t member, uint8_t class);
	/* Returns 1 if the user names the certificate as that of the key. */
	int (*named)(void *ctx, struct text cert, struct text key);
	const char *lone; /* the fault of a key without certificate */
	const char *map; /* where the user names it, for messages */
};

struct pair {
	struct pair_sink sink;
	struct shelf *shelf;
	struct agree *agree;
};

/* Takes everything in a member. */
void pair_findings(struct pair *, const struct findings *, struct text path,
    uint64_t member);

/* Returns 1 if all of the findings were taken before. */
int pair_has(struct pair *, const struct findings *);

/* Takes the fault that a member cannot be read. */
void pair_fault(struct pair *, struct text path, uint64_t member,
    const struct reason *);

/*
 * Pairs and writes what waits.  Keys without a certificate, or with more
 * partners than can be true, become faults.
 */
void pair_end(struct pair *);

#endif
