#ifndef LOCK_BUDGET_H
#define LOCK_BUDGET_H

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Limits the work that a file may ask for: in rounds of key derivation, with
 * the equivalent of other work such as decryption; and in seconds of processor
 * time, since some hashes take forty times as long as others.
 */

#define KDF_ROUNDS_MAX 10000000 /* iterations of one derivation */
#define KDF_WORK_MAX   1000000000 /* of all derivations for one file */

/*
 * Sets the seconds for one file, and for all files that this process and its
 * forks will read.  The default is 60 for a file, and no limit for a run.
 */
void budget_seconds(uint64_t file, uint64_t run);

/* Starts a new file, with KDF_WORK_MAX to spend. */
void budget_start(void);
/* Starts a new file, with so many rounds. */
void budget_start_with(int64_t rounds);

/* Starts a new file, with so many rounds; its time counts only for the run. */
void budget_next(int64_t rounds);

/* Charges the time since a file started to the run, and to no file. */
void budget_shared(void);

/*
 * Counts rounds before they are done, and checks the time.  Returns 1, or 0
 * with *w if it is too much.
 */
int budget_spend(int64_t rounds, struct reason *w);

/*
 * Counts the rounds that a file names, for n bytes by this hash (NULL:
 * unknown).  Returns 1, or 0 with *w.
 */
int budget_rounds(const ASN1_INTEGER *, const EVP_MD *, size_t n,
    struct reason *w);

/*
 * Counts the rounds of one derivation by this hash, or N * r * p of scrypt if
 * NULL, and refuses what would take too long.  Returns 1, or 0 with *w.
 */
int budget_derive(int64_t rounds, const EVP_MD *, struct reason *w);

#endif
