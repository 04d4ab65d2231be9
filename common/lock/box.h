#ifndef LOCK_BOX_H
#define LOCK_BOX_H

#include <stddef.h>
#include <stdint.h>

/* AES-256-GCM under one key, for many things that have numbers. */

#define BOX_KEY 32 /* bytes */
#define BOX_ID	16
#define BOX_TAG 16 /* bytes that the box adds to what it locks */

struct box;

/* A box with this key; the id must fit too when it is opened.  NULL: no memory. */
struct box *box_new(const uint8_t key[BOX_KEY], const uint8_t id[BOX_ID]);

/*
 * A box with a random key that exists only in memory, for what waits and must
 * not stand in the clear.  Out of memory exits 2.
 */
struct box *box_random(void);
void box_free(struct box *);

/*
 * Locks n bytes (n may be 0) as number num, which must not have been used
 * before; aad must fit too when they are opened.  out has room for n + BOX_TAG.
 * Returns 1, or 0: libcrypto failed.
 */
int box_close(struct box *, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out);

/*
 * Opens n bytes; out has room for n - BOX_TAG, and nothing of use in it unless
 * 1 is returned.  0: altered, or of another number, aad, id or key.
 */
int box_open(struct box *, unsigned long long num, const char *aad,
    size_t aadlen, const uint8_t *in, size_t n, uint8_t *out);

#endif
