#ifndef EXPORT_PAIR_H
#define EXPORT_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "export/shelf.h"
#include "file/findings.h"
#include "key/cert.h"

/*
 * Pairs keys with certificates, also across members: what has no partner yet
 * waits on the shelf.
 */

/* What a member came to; of several, the greatest counts. */
enum { NOTHING, SKIPPED, CERTS, FAULTED, KEYS };

/* Where the results go.  Each function is given ctx. */
struct pair_sink {
	void *ctx;
	/*
	 * Writes one certificate, with its key unless key is NULL or must not
	 * travel.  Returns what that makes of the member.
	 */
	uint8_t (*emit)(void *ctx, const struct cert *, const uint8_t *key,
	    size_t keylen, struct text name, struct text source);
	/* Returns 1 if -g and -u want what came from there. */
	int (*wanted)(void *ctx, const struct cert *, struct text name,
	    struct text source);
	void (*fault)(void *ctx, struct text source, const struct reason *);
	/* Notes that a member came to class. */
	void (*classify)(void *ctx, uint64_t member, uint8_t class);
};

struct pair {
	struct pair_sink sink;
	struct shelf *shelf;
};

/* Takes everything that a member holds. */
void pair_findings(struct pair *, const struct findings *, struct text path,
    uint64_t member);

/* The member cannot be read. */
void pair_fault(struct pair *, struct text path, uint64_t member,
    const struct reason *);

/*
 * Writes what waits and found no partner: certificates, and faults.  cut: not
 * all of the backup could be read.
 */
void pair_leftovers(struct pair *, int cut);

#endif
