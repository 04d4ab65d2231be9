#ifndef P12_H
#define P12_H

#include <stddef.h>
#include <stdint.h>

#include "item.h"
#include "secret.h"
#include "why.h"

/* PKCS#12 files (RFC 7292), old and new. */

#define KDF_ROUNDS_MAX 10000000 /* iterations of one derivation */
#define KDF_WORK_MAX   100000000 /* of all derivations for one file */
#define P12_DEPTH_MAX  8 /* SafeContents within SafeContents */

/* Returns 1 if the bytes start as a PFX does: they need not be whole. */
int p12_is(const uint8_t *der, size_t n);

/*
 * Adds every key and certificate of the file to *l, each password tried
 * until the integrity check passes; what cannot be read inside becomes a
 * fault in *l.  Returns 1, or 0 with *w when nothing can be had: reason
 * "password", "damaged" or "unsupported".
 */
int p12_read(const uint8_t *der, size_t n, struct secrets *, struct items *l,
    struct why *w);

/* A new file: its derivations are counted from here. */
void p12_kdf_start(void);

/*
 * Checks, and counts, the work that a password-based algorithm asks for, before it is
 * done.  Returns 1, or 0 with *w (reason "ceiling").
 */
int p12_kdf_check(const X509_ALGOR *, struct why *w);

/* The same for derivations of another format, in rounds. */
int p12_kdf_spend(int64_t rounds, struct why *w);

/* Name of an algorithm, its OID where OpenSSL has no name.  Returns dst. */
char *p12_alg_name(char dst[80], const X509_ALGOR *);

#endif
