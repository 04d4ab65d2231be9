#ifndef FILE_P12_WRITE_H
#define FILE_P12_WRITE_H

#include <openssl/pkcs12.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "key/cert.h"

/*
 * Builds a PKCS#12 (RFC 7292) of any number of keys and certificates.  Keys are
 * encrypted as they come, so that no clear key waits.
 */

#define P12_WRITE_ROUNDS     10000 /* modern: PBKDF2-SHA-256, AES-256-CBC */
#define P12_WRITE_ROUNDS_OLD 2000 /* legacy: what Windows writes; 3DES, SHA-1 */

struct p12_write {
	const char *pass;
	int legacy;
	void *names; /* tree of the friendlyNames so far */
	STACK_OF(PKCS12_SAFEBAG) *keys, *certs;
};

/* Starts; pass must outlive it.  Returns 1, or 0 if memory is full. */
int p12_write_init(struct p12_write *, const char *pass, int legacy);
void p12_write_free(struct p12_write *);

/*
 * Adds a certificate with its key (PKCS#8), or alone if p8 is NULL, under a
 * friendlyName: as much of the name as fits and, if that is taken, the day the
 * certificate ends and the start of its thumbprint (NSS refuses one name for
 * unlike subjects).  Returns 1, or 0 with *w.
 */
int p12_write_add(struct p12_write *, const struct cert *, const uint8_t *p8,
    size_t n, const char *name, size_t namelen, struct reason *w);

/* Returns 1 with the DER in *der (OPENSSL_free() it), or 0 with *w. */
int p12_write_der(struct p12_write *, uint8_t **der, size_t *len,
    struct reason *w);

#endif
