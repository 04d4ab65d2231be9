#ifndef CA_AGENT_HASHES_H
#define CA_AGENT_HASHES_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

/*
 * KeyRecoveryHashes: the agents that an archived key is encrypted to, by the
 * SHA-1 of their certificates.  A row has byte pairs, one agent a line
 * ([MS-WCCE] 3.2.2.6.2.1.3): "01 23 ..\n45 67 ..".  A record has "0123..
 * 4567..".  In a row that was taken from a CA, lines about agents that the
 * archive does not have may follow: see ca/recipients.h.
 */

#define AGENT_HASH 60 /* characters of one agent in a row */

/*
 * Returns the text of a row with count of the n agents in turn, from `first'
 * on.  The caller frees it.
 */
char *agent_hashes_new(const uint8_t (*sha1)[20], size_t n, size_t first,
    size_t count);

/* Returns the text of a record from that of a row.  The caller frees it. */
char *agent_hashes_record(const char *row);

/*
 * Returns the text of a row from that of a CA, whatever its case and blanks, or
 * NULL if it is no list of SHA-1.  The caller frees it.
 */
char *agent_hashes_tidy(const char *);

/*
 * Returns the text of a row from that of a record, or NULL if it is no list of
 * SHA-1.  The caller frees it.
 */
char *agent_hashes_row(const char *record);

/* Returns the lines of a row behind its hashes, borrowed. */
const char *agent_hashes_others0(const char *row);

/* Returns 1 if the text of a row names this agent, else 0. */
int agent_hashes_has(const char *row, X509 *agent);

#endif
