#ifndef RECORD_SEAL_H
#define RECORD_SEAL_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"

/*
 * Sealing of kms-record(5): the stream key in a lockbox (CMS EnvelopedData),
 * HKDF-SHA-256 to the record key, AES-256-GCM for each record.
 */

#define SEAL_ID	 16 /* bytes of a stream id */
#define SEAL_KEY 32 /* bytes of the stream key and the record key */
#define SEAL_TAG 16 /* bytes a seal adds to what it seals */

struct seal;

/*
 * The record key of the stream with this id, whose stream line has SHA-256
 * head up to and including the TAB before `sig:'.  NULL: out of memory.
 */
struct seal *seal_new(const uint8_t key[SEAL_KEY], const uint8_t id[SEAL_ID],
    const uint8_t head[32]);
/*
 * One under a random key that exists only in memory, for what waits here and
 * must not stand in the clear.  Out of memory exits 2.
 */
struct seal *seal_random(void);
void seal_free(struct seal *);

/*
 * Seals n bytes (n may be 0) for record number num, whose line up to and
 * including the TAB before `seal:' is aad.  out has room for n + SEAL_TAG.
 * Returns 1, or 0.
 */
int seal_close(struct seal *, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out);

/*
 * Opens a seal of n bytes; out has room for n - SEAL_TAG, and holds nothing
 * of use unless 1 is returned.  0: altered, or of another record or stream.
 */
int seal_open(struct seal *, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out);

/*
 * The lockbox: the stream key as EnvelopedData to one certificate (AES-256;
 * RSA-OAEP with SHA-256, or ECDH).  Returns 1 and *der (OPENSSL_free), or 0.
 */
int lockbox_make(X509 *to, const uint8_t key[SEAL_KEY], uint8_t **der,
    size_t *len, struct reason *w);
int lockbox_open(X509 *cert, EVP_PKEY *pk, const uint8_t *der, size_t len,
    uint8_t key[SEAL_KEY], struct reason *w);

#endif
