#ifndef EXPORT_AGREE_H
#define EXPORT_AGREE_H

#include <stddef.h>
#include <stdint.h>

#include "export/shelf.h"
#include "key/cert.h"

/*
 * Groups the certificates of one public key.  Two agree if they have the
 * subject or a mail address in common, or if one issuer, whose certificate is
 * on the shelf, signed both.  If A agrees with B, and B with C, all three are
 * one group.
 */

#define AGREE_PROOFS_MAX 10000 /* signatures checked in a whole run */

struct agree;

/* Starts empty.  Exits 2 when memory is full. */
struct agree *agree_new(void);
void agree_free(struct agree *);

/* Forgets the certificates of the last key. */
void agree_clear(struct agree *);

/* Adds a certificate, whose number is the count of those before it. */
void agree_add(struct agree *, const struct cert *);

/* Groups the certificates.  Returns the number of groups. */
size_t agree_groups(struct agree *);

/* Returns the group of certificate i: the number of one certificate in it. */
size_t agree_group(struct agree *, size_t i);

/* Returns 1 if AGREE_PROOFS_MAX signatures were checked. */
int agree_spent(const struct agree *);

/*
 * Notes the issuer of certificate i, if its certificate is on the shelf.  The
 * first call reads the shelf, which must not change any more.
 */
void agree_issuer(struct agree *, size_t i, const struct cert *,
    struct shelf *);

#endif
