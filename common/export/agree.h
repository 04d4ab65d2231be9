#ifndef EXPORT_AGREE_H
#define EXPORT_AGREE_H

#include <stddef.h>
#include <stdint.h>

#include "export/shelf.h"
#include "key/cert.h"

/*
 * Which certificates of one public key belong together: those that have the
 * subject or a mail address in common, and those that one issuer signed whose
 * certificate is on the shelf.  Agreement is passed on: if A agrees with B, and
 * B with C, all three are one group.
 */

#define AGREE_PROOFS_MAX 10000 /* signatures of issuers, in a whole run */

struct agree;

/* Starts empty.  Exits 2 when out of memory. */
struct agree *agree_new(void);
void agree_free(struct agree *);

/* Forgets the certificates of the last key. */
void agree_clear(struct agree *);

/* Adds a certificate, whose number is the count of those before it. */
void agree_add(struct agree *, const struct cert *);

/*
 * Has the certificates grouped by what was added, and returns the number of
 * groups.
 */
size_t agree_groups(struct agree *);

/* The group of a certificate, after agree_groups(): the number of one of it. */
size_t agree_group(struct agree *, size_t i);

/* Returns 1 if it has looked at as many signatures as it may. */
int agree_spent(const struct agree *);

/*
 * Notes who signed certificate i, if that issuer is on the shelf, which is read
 * through once, and no longer changes.
 */
void agree_issuer(struct agree *, size_t i, const struct cert *,
    struct shelf *);

#endif
