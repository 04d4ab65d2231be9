#ifndef LOCK_BUDGET_H
#define LOCK_BUDGET_H

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * The work that a file may ask for: in rounds of key derivation, with what costs
 * as much, such as to decrypt it; and in seconds of processor time, which rounds
 * do not tell, since some hashes take forty times as long as others.
 */

#define KDF_ROUNDS_MAX 10000000 /* iterations of one derivation */
#define KDF_WORK_MAX   1000000000 /* of all derivations for one file */

/*
 * Sets the seconds for one file, and for all files that this process and its
 * forks will read.  Without it there are 60 for a file, and no end of a run.
 */
void budget_seconds(uint64_t file, uint64_t run);

/* A new file starts, with KDF_WORK_MAX to spend. */
void budget_start(void);
/* A new file starts, with so many rounds. */
void budget_start_with(int64_t rounds);

/* As budget_start_with(), of a file whose time counts for none alone. */
void budget_next(int64_t rounds);

/* The time since a file started counts for the run, and for no file. */
void budget_shared(void);

/*
 * Counts rounds before they are done, and looks at the time.  Returns 1, or 0
 * with *w: too many, or too long.
 */
int budget_spend(int64_t rounds, struct reason *w);

/*
 * Counts the rounds that a file names, for n bytes by this hash, NULL if it is not
 * known.  Returns 1, or 0 with *w.
 */
int budget_rounds(const ASN1_INTEGER *, const EVP_MD *, size_t n,
    struct reason *w);

/*
 * As budget_spend(), if the rounds are of one derivation by this hash, or are the
 * N * r * p of scrypt, then NULL: none begins that would take too long.
 */
int budget_derive(int64_t rounds, const EVP_MD *, struct reason *w);

#endif
