#ifndef RECORD_REC_H
#define RECORD_REC_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "base/wire.h"

/* A record of kms-record(5): labelled tab-separated values on one line. */

#define REC_LINE_MAX   (256 * 1024) /* bytes of a line, without its LF */
#define REC_FIELDS_MAX 64

struct rec_field {
	const char *label;
	size_t llen;
	const char *val; /* escaped, as it stands in the line */
	size_t vlen;
};

struct rec {
	const char *line; /* borrowed from the reader, no NUL */
	size_t len;
	unsigned long long lineno;
	size_t nfields;
	struct rec_field field[REC_FIELDS_MAX];
};

/* Returns 1 if the record is of this type. */
int rec_is(const struct rec *, const char *type);

/*
 * Checks that the record has every field that its type requires; types that are
 * not in kms-record(5) pass.  Returns 1, or 0 with *w.
 */
int rec_complete(const struct rec *, struct reason *w);

/* Returns the field with exactly this label, or NULL. */
const struct rec_field *rec_get0(const struct rec *, const char *label);

/* Returns the field with this label, else its base64 twin, else NULL. */
const struct rec_field *rec_either0(const struct rec *, const char *label);

/* Returns 1 if rec_either0() has a field, and it is not empty. */
int rec_has(const struct rec *, const char *label);

/* Returns 1 if the escaped value of the field is s. */
int rec_eq(const struct rec *, const char *label, const char *s);

/*
 * Returns the text of a field or its base64 twin, decoded, with a NUL, its
 * length in *n (may be NULL): OPENSSL_free() it.  NULL: no field, or no memory.
 */
char *rec_text(const struct rec *, const char *label, size_t *n);

/* Returns the text of rec_text(), else an empty one.  OPENSSL_free() *own. */
struct text rec_text_own(const struct rec *, const char *label, char **own);

/*
 * Returns the bytes of a base64 field, their number in *n: OPENSSL_clear_free()
 * them, or OPENSSL_secure_clear_free() if secure.  NULL: no field, no base64 of
 * RFC 4648 section 4, or (errno ENOMEM) no memory.
 */
uint8_t *rec_b64(const struct rec *, const char *label, int secure, size_t *n);

/* Reads a decimal number without sign or leading zero.  Returns 1, or 0. */
int rec_u64(const struct rec *, const char *label, unsigned long long *v);

/* Reads n bytes of lower-case hex, n at most 32.  Returns 1, or 0. */
int rec_unhex(const struct rec *, const char *label, uint8_t *dst, size_t n);

/* Adds a record to the wire. */
void rec_pack(const struct rec *, struct wire *);
/* Reads a record from the wire, where its line stays. */
void rec_unpack(struct rec *, struct wire *);

#endif
