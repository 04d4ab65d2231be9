#ifndef RECORD_SEAL_H
#define RECORD_SEAL_H

#include <stdint.h>

#include "lock/box.h"

/*
 * The seals of kms-record(5): a box whose key is derived from the stream key by
 * HKDF-SHA-256.  The seal of record n is number n in the box; its aad is the
 * line up to and including the TAB before `seal:'.
 */

/*
 * Returns the box of the stream with this key and id.  The SHA-256 of its
 * stream line, up to and including the TAB before `sig:', is head.  The caller
 * frees it with box_free().  Returns NULL if memory is full.
 */
struct box *seal_new(const uint8_t key[BOX_KEY], const uint8_t id[BOX_ID],
    const uint8_t head[32]);

#endif
