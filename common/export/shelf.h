#ifndef EXPORT_SHELF_H
#define EXPORT_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "key/cert.h"

/*
 * Keys and certificates of a backup that wait for each other across members.
 * They wait in an unlinked temporary file, keys sealed with AES-256-GCM under
 * a key that exists only in memory; memory holds 32 bytes for each.
 */

struct shelf;

/* HELD_LEFT: -g and -u do not select it where it is; its partner may be. */
enum held_state { HELD_WAITS, HELD_DONE, HELD_LEFT };

struct held {
	int is_key;
	enum held_state state; /* done: a record was written of it; a
					   certificate then has no data */
	uint64_t member; /* number of the member it came from */
	uint8_t id[32]; /* of the public key: private_id() */
	uint8_t cert[32]; /* SHA-256 of a certificate */
	struct text source; /* borrowed until the next call */
	uint8_t *data; /* PKCS#8 in secure memory, or DER;
					   borrowed until the next call */
	size_t len;
	uint64_t at; /* place in the file */
};

/* Starts empty.  Exits 2 if no temporary file can be made. */
struct shelf *shelf_new(void);
void shelf_free(struct shelf *);

/*
 * Keep a key, or a certificate, for what is still to come.  Failure to write
 * exits 2.
 */
void shelf_key(struct shelf *, const uint8_t id[32], const uint8_t *p8,
    size_t n, enum held_state, struct text source, uint64_t member);
void shelf_cert(struct shelf *, const struct cert *, enum held_state,
    struct text source, uint64_t member);

/*
 * Finds the next thing of this public key, a key or a certificate; *pos is 0
 * for the first call.  Returns 1, or 0 when there is no other.
 */
int shelf_find(struct shelf *, const uint8_t id[32], int is_key, size_t *pos,
    struct held *);

/*
 * Returns 1 with *out, without source and data, if the certificate came and
 * was not left out.
 */
int shelf_came(struct shelf *, const struct cert *, struct held *out);

/* Goes through all, in the order they came; *at is 0 for the first call. */
int shelf_each(struct shelf *, uint64_t *at, struct held *);

/* Wipes what was given out last. */
void shelf_forget(struct shelf *);

/* Notes that a record was written of it. */
void shelf_done(struct shelf *, const struct held *);

#endif
