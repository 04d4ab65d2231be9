#ifndef RECORD_READ_H
#define RECORD_READ_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/reason.h"
#include "base/text.h"
#include "base/wire.h"

/*
 * The record of kms-record(5): labelled tab-separated values, one a line.
 * One reader and one writer, used by every tool.
 */

#define REC_LINE_MAX   (256 * 1024) /* bytes of a line, without its LF */
#define REC_FIELDS_MAX 64

struct rec_field {
	const char *label;
	size_t llen;
	const char *val; /* as it stands in the line: escaped */
	size_t vlen;
};

struct rec {
	const char *line; /* borrowed from the reader, no NUL */
	size_t len;
	unsigned long long lineno;
	size_t nfields;
	struct rec_field field[REC_FIELDS_MAX];
};

/* Reading ------------------------------------------------------------- */

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

/* Returns 1 if the record is of this type. */
int rec_is(const struct rec *, const char *type);

/*
 * Checks that the record has every field that its type must have; types that
 * are not in kms-record(5) pass.  Returns 1, or 0 with *w.
 */
int rec_complete(const struct rec *, struct reason *w);

/* The field with this very label, or NULL. */
const struct rec_field *rec_get0(const struct rec *, const char *label);

/* The same, or its base64 twin. */
const struct rec_field *rec_either0(const struct rec *, const char *label);

/*
 * The text of a field or of its base64 twin, decoded, NUL-terminated, its
 * length in *n (may be NULL): OPENSSL_free() it.  NULL: no such field, or
 * out of memory.
 */
char *rec_text(const struct rec *, const char *label, size_t *n);

/* The same, or an empty text; *own is what to OPENSSL_free(). */
struct text rec_text_own(const struct rec *, const char *label, char **own);

/*
 * The bytes of a base64 field, their number in *n: OPENSSL_clear_free() it,
 * or OPENSSL_secure_clear_free() if secure.  NULL: no such field, or not
 * base64 as RFC 4648 section 4 wants it, or (errno ENOMEM) out of memory.
 */
uint8_t *rec_b64(const struct rec *, const char *label, int secure, size_t *n);

/* Decimal number without sign or leading zero.  Returns 1, or 0. */
int rec_u64(const struct rec *, const char *label, unsigned long long *v);

/* The n bytes of a lower-case hex field, n at most 32.  Returns 1, or 0. */
int rec_unhex(const struct rec *, const char *label, uint8_t *dst, size_t n);

/* Returns 1 if the field's raw value equals s. */
int rec_eq(const struct rec *, const char *label, const char *s);

/*
 * Adds a record to what goes to another process; takes it there, where it stays
 * in what came.
 */
void rec_pack(const struct rec *, struct wire *);
void rec_unpack(struct rec *, struct wire *);

/* Writing ------------------------------------------------------------- */

/*
 * Builds one line at a time and keeps what `end' needs: the number of
 * records, and the digest of every byte since rec_out_restart().
 */
struct rec_out {
	FILE *fp;
	char *buf; /* the line so far, secure memory */
	size_t len;
	int overflow;
	EVP_MD_CTX *md;
	unsigned long long n, keys, certs, faults;
};

/* NULL: out of memory.  fp stays the caller's. */
struct rec_out *rec_out_new(FILE *fp);
void rec_out_free(struct rec_out *);

/* A record starts: `rec:TYPE'.  Whatever was begun and not ended is gone. */
void rec_begin(struct rec_out *, const char *type);
/* Text of n bytes: escaped, or as base64 under the label's twin. */
void rec_put(struct rec_out *, const char *label, const char *s, size_t n);
void rec_put_text(struct rec_out *, const char *label, struct text);
/* The same of a string; NULL is empty. */
void rec_puts(struct rec_out *, const char *label, const char *s);
void rec_put_u64(struct rec_out *, const char *label, unsigned long long);
void rec_put_hex(struct rec_out *, const char *label, const uint8_t *, size_t);
void rec_put_b64(struct rec_out *, const char *label, const uint8_t *, size_t);
/* Text field copied from another record, as it stands there. */
void rec_put_field(struct rec_out *, const struct rec *, const char *label);
/* Label and colon only: the value is what the caller signs or seals. */
void rec_put_label(struct rec_out *, const char *label);

/*
 * Writes the line and counts it, or, if it is longer than REC_LINE_MAX,
 * writes nothing.  Returns 1, 0 if too long, -1 if output was lost.
 */
int rec_end(struct rec_out *);

/* Puts n, keys, certs, faults and sha256 of the open stream (for `end'). */
void rec_put_counts(struct rec_out *);

/* Writes the plain `end' record.  Returns 1, or -1 if output was lost. */
int rec_close(struct rec_out *);

#endif
