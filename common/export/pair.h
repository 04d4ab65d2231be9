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
 * Pairs keys with certificates.  What came in one file is a pair at once.  The
 * rest waits on the shelf until the whole backup was read, so that the order in
 * it decides nothing: anybody can make a certificate of somebody else's public
 * key, and drop it into a backup.
 */

/* What a member came to; of several, the greatest counts. */
enum { NOTHING, SKIPPED, CERTS, FAULTED, KEYS };

/* Where the results go.  Each function is given ctx. */
struct pair_sink {
	void *ctx;
	/*
	 * Writes a certificate, with its key unless key is NULL or must not
	 * travel.  Returns what that makes of the member.
	 */
	uint8_t (*emit)(void *ctx, const struct cert *, const uint8_t *key,
	    size_t keylen, struct text name, struct text source);
	/* Writes a fault.  Returns what that makes of the member. */
	uint8_t (*fault)(void *ctx, struct text source, const struct reason *);
	/* Notes that a member came to class. */
	void (*classify)(void *ctx, uint64_t member, uint8_t class);
	/* Returns 1 if the user says that the certificate is of the key. */
	int (*named)(void *ctx, struct text cert, struct text key);
	const char *lone; /* what is wrong with a key without certificate */
	const char *map; /* what the user says that in, for messages */
};

struct pair {
	struct pair_sink sink;
	struct shelf *shelf;
	struct agree *agree;
};

/* Takes everything that a member holds. */
void pair_findings(struct pair *, const struct findings *, struct text path,
    uint64_t member);

/* Returns 1 if all of it was taken before. */
int pair_has(struct pair *, const struct findings *);

/* The member cannot be read. */
void pair_fault(struct pair *, struct text path, uint64_t member,
    const struct reason *);

/*
 * Pairs what waits, and writes it, and faults of what has no partner or more of
 * them than can be true.
 */
void pair_end(struct pair *);

#endif
