#ifndef ITEM_H
#define ITEM_H

#include <stddef.h>
#include <stdint.h>

#include "cert.h"
#include "why.h"

/*
 * What one file holds: keys, certificates, and what could not be read.  Keys
 * wait sealed under a key that exists only in memory: a file may hold more of
 * them than the secure heap.
 */

#define ITEM_ANEW "fetch the file again, or export it anew"

#define ITEMS_MAX      10000 /* keys, certificates and faults of one file */
#define ITEM_BYTES_MAX (128 * 1024) /* of one key or certificate */

enum item_kind { ITEM_KEY, ITEM_CERT, ITEM_FAULT };

struct item {
	enum item_kind kind;
	uint8_t *sealed; /* ITEM_KEY: see item_key1() */
	size_t sealedlen;
	unsigned long long num;
	struct cert *cert; /* ITEM_CERT */
	uint8_t id[32]; /* of the public key, see pkey_id() */
	char *name; /* friendlyName, UTF-8; may be NULL */
	size_t namelen;
	struct why why; /* ITEM_FAULT */
};

struct items {
	struct item *v;
	size_t n;
};

void items_free(struct items *);

/* From here on forks can open each other's keys. */
void items_share(void);

/*
 * Adds a copy of a key (PKCS#8) or of a certificate, or a fault.  The name
 * (OPENSSL memory, may be NULL) becomes the list's.  What does not parse or
 * is too large becomes a fault.
 */
void items_add_key(struct items *, const uint8_t *p8, size_t n, char *name,
    size_t namelen);
void items_add_cert(struct items *, const uint8_t *der, size_t n, char *name,
    size_t namelen);
void items_add_fault(struct items *, const struct why *);
/* Adds a certificate if it is one.  Returns 1, or 0 with *w and nothing added. */
int items_try_cert(struct items *, const uint8_t *der, size_t n, struct why *w);
/* The same of a key: one that is whole. */
int items_try_key(struct items *, const uint8_t *p8, size_t n, struct why *w);
/* Adds the fault of what is larger than ITEM_BYTES_MAX. */
void items_add_large(struct items *);

/*
 * The PKCS#8 of a key, *n bytes in secure memory; the caller frees it with
 * OPENSSL_secure_clear_free().
 */
uint8_t *item_key1(const struct item *, size_t *n);

/* Appends all of another list, which is empty then. */
void items_move(struct items *to, struct items *from);

/* The first key of this public key, or NULL.  Borrowed. */
struct item *items_key0(const struct items *, const uint8_t id[32]);

/* Returns 1 if a certificate of this public key is in the list. */
int items_has_cert(const struct items *, const uint8_t id[32]);

#endif
