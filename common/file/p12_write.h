#ifndef FILE_P12_WRITE_H
#define FILE_P12_WRITE_H

#include <openssl/pkcs12.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"

/*
 * Builds a PKCS#12 (RFC 7292) of any number of keys and certificates.  Keys
 * are encrypted as they come, so no clear key waits.
 */

#define P12_WRITE_ROUNDS     10000 /* modern: PBKDF2-SHA-256, AES-256-CBC */
#define P12_WRITE_ROUNDS_OLD 2000 /* legacy: what Windows writes; 3DES, SHA-1 */

struct p12_write {
	const char *pass;
	int legacy;
	void *names; /* tree of those given so far */
	STACK_OF(PKCS12_SAFEBAG) *keys, *certs;
};

/* pass must outlive the pack.  Returns 1, or 0 when out of memory. */
int p12_write_init(struct p12_write *, const char *pass, int legacy);
void p12_write_free(struct p12_write *);

/*
 * Adds a certificate with its key (PKCS#8), or alone if p8 is NULL, under a
 * friendlyName: as much of the name as such a one can hold, and behind it the
 * day the certificate ends and the start of its thumbprint if another has that
 * name already (NSS refuses one name for unlike subjects).
 * Returns 1, or 0 with *w.
 */
int p12_write_add(struct p12_write *, const struct cert *, const uint8_t *p8,
    size_t n, const char *name, size_t namelen, struct reason *w);

/* The whole file as DER (caller: OPENSSL_free).  Returns 1, or 0 with *w. */
int p12_write_der(struct p12_write *, uint8_t **der, size_t *len,
    struct reason *w);

#endif
