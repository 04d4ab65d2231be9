#ifndef EXPORT_PAIR_H
#define EXPORT_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "export/export.h"
#include "file/findings.h"

/*
 * For export/export.c: pairs keys with certificates, also across members, where what
 * has no partner yet waits (export/shelf.h).
 */

/* What a member came to; of several, the greatest counts. */
enum { NOTHING, SKIPPED, CERTS, FAULTED, KEYS };

/* Takes everything that a member holds. */
void pair_items(struct export *, const struct findings *, struct text path,
    uint64_t member);

/* Writes what waits and found no partner: certificates, and faults. */
void pair_leftovers(struct export *);

/* What export/export.c has for that ---------------------------------------------- */

void export_classify(struct export *, uint64_t member, uint8_t class);
void export_fault(struct export *, struct text source, const struct reason *);

/* Whose it is: the certificate, the path and the map say. */
void export_describe(struct export *, struct stream_rec *, const struct cert *,
    struct text name, struct text source);

/* Returns 1 if -g and -u want it. */
int export_selected(const struct export *, const struct stream_rec *);

/*
 * Writes one certificate, with its key unless there is none or it must not
 * travel.  Returns what that makes of the member.
 */
uint8_t export_emit(struct export *, const struct cert *, const uint8_t *key,
    size_t keylen, struct text name, struct text source);

#endif
