#ifndef HOLD_H
#define HOLD_H

#include <stddef.h>
#include <stdint.h>

#include "cert.h"
#include "rec.h"

/*
 * Keys and certificates of a backup that wait for each other across members.
 * They wait in an unlinked temporary file, keys sealed with AES-256-GCM under
 * a key that exists only in memory; memory holds 32 bytes for each.
 */

struct hold;

/* HELD_LEFT: -g and -u do not select it where it is; its partner may be. */
enum held_state { HELD_WAITS, HELD_DONE, HELD_LEFT };

struct held {
	int is_key;
	enum held_state state; /* done: a record was written of it; a
					   certificate then has no data */
	uint64_t member; /* number of the member it came from */
	uint8_t id[32]; /* of the public key: pkey_id() */
	uint8_t cert[32]; /* SHA-256 of a certificate */
	struct text source; /* borrowed until the next call */
	uint8_t *data; /* PKCS#8 in secure memory, or DER;
					   borrowed until the next call */
	size_t len;
	uint64_t at; /* place in the file */
};

/* Starts empty.  Exits 2 if no temporary file can be made. */
struct hold *hold_new(void);
void hold_free(struct hold *);

/*
 * Keep a key, or a certificate, for what is still to come.  Failure to write
 * exits 2.
 */
void hold_key(struct hold *, const uint8_t id[32], const uint8_t *p8, size_t n,
    enum held_state, struct text source, uint64_t member);
void hold_cert(struct hold *, const struct cert *, enum held_state,
    struct text source, uint64_t member);

/*
 * Finds the next thing of this public key, a key or a certificate; *pos is 0
 * for the first call.  Returns 1, or 0 when there is no other.
 */
int hold_find(struct hold *, const uint8_t id[32], int is_key, size_t *pos,
    struct held *);

/*
 * Returns 1 with *out, without source and data, if the certificate came and
 * was not left out.
 */
int hold_came(struct hold *, const struct cert *, struct held *out);

/* Goes through all, in the order they came; *at is 0 for the first call. */
int hold_each(struct hold *, uint64_t *at, struct held *);

/* Wipes what was given out last. */
void hold_forget(struct hold *);

/* Notes that a record was written of it. */
void hold_done(struct hold *, const struct held *);

#endif
