#ifndef RECORD_READ_H
#define RECORD_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "record/rec.h"

/* Reads records from lines. */

struct rec_in;

/* Reads from fd, which stays the caller's.  Returns NULL if memory is full. */
struct rec_in *rec_in_new(int fd);
/* Reads from n bytes of memory, which must outlive the reader. */
struct rec_in *rec_in_mem(const uint8_t *p, size_t n);
void rec_in_free(struct rec_in *);

/*
 * Reads the next record into *r, valid until the next call.  Returns 1, 0 at
 * the end of the input, or -1 when the line breaks the format or the input
 * cannot be read (*w says why; r->lineno is its line).
 */
int rec_in_read(struct rec_in *, struct rec *r, struct reason *w);

/* Returns 1 if the input starts with `rec:', as a stream of records does. */
int rec_in_is_rec(struct rec_in *);
uint8_t *rec_in_rest(struct rec_in *, size_t max, size_t *n, struct reason *w);

/*
 * Returns 1 if the next record can be read without waiting, 0 if none arrives
 * within ms milliseconds.
 */
int rec_in_ready(struct rec_in *, int ms);

#endif
