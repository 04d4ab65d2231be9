#ifndef RECORD_SEAL_H
#define RECORD_SEAL_H

#include <stdint.h>

#include "lock/box.h"

/*
 * The seals of kms-record(5): a box whose key is made by HKDF-SHA-256 from the
 * stream key.  Of record n it is number n, and its aad is the line up to and
 * including the TAB before `seal:'.
 */

/*
 * The box of the stream with this key and id, whose stream line has SHA-256 head
 * up to and including the TAB before `sig:'.  The caller frees it with
 * box_free().  NULL: out of memory.
 */
struct box *seal_new(const uint8_t key[BOX_KEY], const uint8_t id[BOX_ID],
    const uint8_t head[32]);

#endif
