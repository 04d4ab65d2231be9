#ifndef RECORD_READ_H
#define RECORD_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "record/rec.h"

/* Lines in, records out. */

struct rec_in;

/* Reads from fd, which stays the caller's.  NULL: out of secure memory. */
struct rec_in *rec_in_new(int fd);
/* Reads from n bytes of memory, which must outlive the reader. */
struct rec_in *rec_in_mem(const uint8_t *p, size_t n);
void rec_in_free(struct rec_in *);

/*
 * Reads the next record into *r; it is valid until the next call.
 * Returns 1, 0 at the end of the input, or -1 when the line breaks the
 * format or the input cannot be read (*w says what; its line is r->lineno).
 */
int rec_in_read(struct rec_in *, struct rec *r, struct reason *w);

/*
 * Returns 1 if the input starts with `rec:', as a stream of records does; 0
 * if it is something else, which rec_in_rest() then gives: all of it, at most
 * max bytes (caller: OPENSSL_clear_free), or NULL with *w.
 */
int rec_in_is_rec(struct rec_in *);
uint8_t *rec_in_rest(struct rec_in *, size_t max, size_t *n, struct reason *w);

/*
 * Returns 1 if the next record can be read without waiting, 0 if none came
 * within ms milliseconds.
 */
int rec_in_ready(struct rec_in *, int ms);

#endif
