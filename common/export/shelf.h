#ifndef EXPORT_SHELF_H
#define EXPORT_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "key/cert.h"

/*
 * Keeps the keys and certificates of a backup until all of it was read.  Those
 * of one public key are a chain.  They wait in an unlinked temporary file, keys
 * sealed with AES-256-GCM under a key that exists only in memory, which holds
 * some 100 bytes for each.
 */

struct shelf;

struct held {
	int is_key;
	int own; /* 1: key and certificate came in one file */
	int done; /* 1: a record of the certificate was written */
	uint64_t member; /* number of the member it came from */
	uint8_t id[32]; /* of the public key: private_id() */
	uint8_t sha256[32]; /* of the certificate; all zero for a key */
	struct text source, name; /* name is a friendlyName, or empty */
	/* set by the shelf */
	uint8_t folder[16]; /* hash of the folder that source is in */
	uint64_t at; /* private, as all that follow */
	uint64_t next, num;
	size_t len;
	uint8_t *body;
};

/* Frees source and name of a held that the shelf gave. */
void held_free(struct held *);

/* Starts empty.  Exits 2 if it can make no temporary file. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf *);

/*
 * Adds a held to the end of its chain.  data is its DER, n bytes of it, which
 * are kept once for all copies.  Exits 2 if they cannot be written.
 */
void shelf_put(struct shelf *, const struct held *, const uint8_t *data,
    size_t n);

/* Returns 1 with the first copy of the certificate in *out, else 0. */
int shelf_came(struct shelf *, const uint8_t sha256[32], struct held *out);

/* Returns 1 if the shelf has a key of this public key. */
int shelf_has_key(struct shelf *, const uint8_t id[32]);

/* Stores own and done. */
void shelf_update(struct shelf *, const struct held *);

/*
 * Gives the first held of the next chain, in the order they came; *at is 0 for
 * the first call.  Returns 1, or 0 at the end.
 */
int shelf_chains(struct shelf *, size_t *at, struct held *);

/* Gives the next held of the chain.  Returns 1, or 0 at the end. */
int shelf_next(struct shelf *, struct held *);

/* Gives the next held of all, in the order they came; *at is 0 at first. */
int shelf_each(struct shelf *, uint64_t *at, struct held *);

/* Returns the certificate of a held, which the caller frees. */
struct cert *shelf_cert(struct shelf *, const struct held *);

/*
 * Returns the PKCS#8 of the key of a chain, *n bytes in secure memory, which
 * the caller frees with OPENSSL_secure_clear_free().
 */
uint8_t *shelf_key1(struct shelf *, const struct held *, size_t *n);

#endif
