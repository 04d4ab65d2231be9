#ifndef LOCK_BUDGET_H
#define LOCK_BUDGET_H

#include <openssl/asn1.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * The work that a file may ask for, in rounds of key derivation.  What costs as
 * much, such as to decrypt it, is counted with it.
 */

#define KDF_ROUNDS_MAX 10000000 /* iterations of one derivation */
#define KDF_WORK_MAX   1000000000 /* of all derivations for one file */

/* A new file starts, with KDF_WORK_MAX to spend. */
void budget_start(void);
/* A new file starts, with so many rounds. */
void budget_start_with(int64_t rounds);

/* Counts rounds before they are done.  Returns 1, or 0 with *w: too many. */
int budget_spend(int64_t rounds, struct reason *w);

/* Counts the rounds that a file names.  Returns 1, or 0 with *w. */
int budget_rounds(const ASN1_INTEGER *, struct reason *w);

#endif
