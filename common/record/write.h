#ifndef RECORD_WRITE_H
#define RECORD_WRITE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "record/rec.h"

/* Writes records, one a line. */

#define REC_SHOWN 80 /* bytes of a value on a terminal */

/*
 * Builds one line at a time, and keeps what `end' needs: the numbers of records
 * and the digest of every byte.
 */
struct rec_out {
	FILE *fp;
	char *buf; /* the line so far, secure memory */
	size_t len;
	int overflow;
	EVP_MD_CTX *md;
	unsigned long long n, keys, certs, faults;
};

/* Writes to fp, which stays the caller's.  Returns NULL if memory is full. */
struct rec_out *rec_out_new(FILE *fp);
void rec_out_free(struct rec_out *);

/* Starts a record, `rec:TYPE'.  A record that was not ended is dropped. */
void rec_begin(struct rec_out *, const char *type);
/* Puts n bytes of text: escaped, or as base64 under the label's twin. */
void rec_put(struct rec_out *, const char *label, const char *s, size_t n);
void rec_put_text(struct rec_out *, const char *label, struct text);
/* Puts the text of a string; NULL is empty. */
void rec_puts(struct rec_out *, const char *label, const char *s);
void rec_put_u64(struct rec_out *, const char *label, unsigned long long);
/* Puts a number above 0, or an empty value for any other. */
void rec_put_id(struct rec_out *, const char *label, int64_t);
void rec_put_hex(struct rec_out *, const char *label, const uint8_t *, size_t);
void rec_put_b64(struct rec_out *, const char *label, const uint8_t *, size_t);
/* Copies a text field from another record as it stands there. */
void rec_put_field(struct rec_out *, const struct rec *, const char *label);
/* Puts label and colon only: the caller signs or seals the value. */
void rec_put_label(struct rec_out *, const char *label);

/*
 * Writes n bytes of lines of records as they are.  On a terminal as standard
 * output it cuts each value longer than REC_SHOWN, with "..." behind it, so
 * that the others can be read.  Returns 1, or 0 with errno if output was lost.
 */
int rec_write(FILE *, const char *lines, size_t n);

/*
 * Writes the line and counts it; writes nothing if it is longer than
 * REC_LINE_MAX.  Returns 1, 0 if it is too long, -1 if output was lost.
 */
int rec_end(struct rec_out *);

/* Puts n, keys, certs, faults and sha256 of the open stream, for `end'. */
void rec_put_counts(struct rec_out *);

/* Writes the plain `end' record.  Returns 1, or -1 if output was lost. */
int rec_close(struct rec_out *);

#endif
