#ifndef LOCK_BOX_H
#define LOCK_BOX_H

#include <stddef.h>
#include <stdint.h>

/* Locks many numbered things with AES-256-GCM under one key. */

#define BOX_KEY 32 /* bytes */
#define BOX_ID	16
#define BOX_TAG 16 /* bytes that the box adds to what it locks */

struct box;

/* Makes a box; opening needs the same id.  Returns NULL if memory is full. */
struct box *box_new(const uint8_t key[BOX_KEY], const uint8_t id[BOX_ID]);

/*
 * Makes a box with a random key that exists only in memory, for what waits and
 * must not be in the clear.  Exits 2 when memory is full.
 */
struct box *box_random(void);
void box_free(struct box *);

/*
 * Locks n bytes (n may be 0) as number num, which must not have been used
 * before; aad must be the same to open them.  out has room for n + BOX_TAG.
 * Returns 1, or 0 if libcrypto failed.
 */
int box_close(struct box *, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out);

/*
 * Opens n bytes; out has room for n - BOX_TAG.  Returns 1, or 0 with nothing of
 * use in out: altered, or of another number, aad, id or key.
 */
int box_open(struct box *, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out);

#endif
