#ifndef EXPORT_SHELF_H
#define EXPORT_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "key/cert.h"

/*
 * The keys and certificates of a backup, kept until all of it was read: what
 * belongs to one public key is one chain.  They wait in an unlinked temporary
 * file, keys sealed with AES-256-GCM under a key that exists only in memory;
 * memory holds some 100 bytes for each.
 */

struct shelf;

struct held {
	int is_key;
	int own; /* key and certificate came in one file */
	int done; /* a record of the certificate was written */
	uint64_t member; /* number of the member it came from */
	uint8_t id[32]; /* of the public key: private_id() */
	uint8_t sha256[32]; /* of a certificate; of a key all zero */
	struct text source, name; /* name is a friendlyName, or empty */
	/* of what was kept */
	uint8_t folder[16]; /* hash of the folder that source is in */
	uint64_t at; /* the shelf's own, as all that follows */
	uint64_t next, num;
	size_t len;
	uint8_t *body;
};

/* Frees what source and name of a held from the shelf point into. */
void held_free(struct held *);

/* Starts empty.  Exits 2 if no temporary file can be made. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf *);

/*
 * Keeps what a held describes, at the end of its chain; data is its DER, n bytes
 * of it, which is kept once for all copies.  Failure to write exits 2.
 */
void shelf_put(struct shelf *, const struct held *, const uint8_t *data,
    size_t n);

/* Returns 1 with the first copy of the certificate in *out, or 0. */
int shelf_came(struct shelf *, const uint8_t sha256[32], struct held *out);

/* Returns 1 if a key of this public key is kept. */
int shelf_has_key(struct shelf *, const uint8_t id[32]);

/* Notes that own or done changed. */
void shelf_update(struct shelf *, const struct held *);

/*
 * Goes through the chains, each by its first held, in the order they came; *at
 * is 0 for the first call.  Returns 1, or 0 at the end.
 */
int shelf_chains(struct shelf *, size_t *at, struct held *);

/* Goes through one chain, from the held that shelf_chains() gave. */
int shelf_next(struct shelf *, struct held *);

/* Goes through all that is kept, in the order it came; *at is 0 at first. */
int shelf_each(struct shelf *, uint64_t *at, struct held *);

/* The certificate of a held; the caller frees it. */
struct cert *shelf_cert(struct shelf *, const struct held *);

/*
 * The PKCS#8 of the key of a chain, *n bytes in secure memory; the caller frees
 * it with OPENSSL_secure_clear_free().
 */
uint8_t *shelf_key1(struct shelf *, const struct held *, size_t *n);

#endif
