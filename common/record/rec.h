#ifndef RECORD_REC_H
#define RECORD_REC_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/text.h"
#include "base/wire.h"

/* One record of kms-record(5): labelled tab-separated values, one record a line. */

#define REC_LINE_MAX   (256 * 1024) /* bytes of a line, without its LF */
#define REC_FIELDS_MAX 64

struct rec_field {
	const char *label;
	size_t llen;
	const char *val; /* as it stands in the line: escaped */
	size_t vlen;
};

struct rec {
	const char *line; /* borrowed from whoever read it, no NUL */
	size_t len;
	unsigned long long lineno;
	size_t nfields;
	struct rec_field field[REC_FIELDS_MAX];
};

/* Returns 1 if the record is of this type. */
int rec_is(const struct rec *, const char *type);

/*
 * Checks that the record has every field that its type must have; types that
 * are not in kms-record(5) pass.  Returns 1, or 0 with *w.
 */
int rec_complete(const struct rec *, struct reason *w);

/* The field with this very label, or NULL. */
const struct rec_field *rec_get0(const struct rec *, const char *label);

/* The field with this label or, if there is none, its base64 twin; or NULL. */
const struct rec_field *rec_either0(const struct rec *, const char *label);

/* Returns 1 if the value of the field, as it stands, is s. */
int rec_eq(const struct rec *, const char *label, const char *s);

/*
 * The text of a field or of its base64 twin, decoded, with a NUL, its length in
 * *n (may be NULL): OPENSSL_free() it.  NULL: no such field, or out of memory.
 */
char *rec_text(const struct rec *, const char *label, size_t *n);

/* As rec_text(), or an empty text; OPENSSL_free() *own. */
struct text rec_text_own(const struct rec *, const char *label, char **own);

/*
 * The bytes of a base64 field, their number in *n: OPENSSL_clear_free() them,
 * or OPENSSL_secure_clear_free() if secure.  NULL: no such field, or not
 * base64 as RFC 4648 section 4 wants it, or (errno ENOMEM) out of memory.
 */
uint8_t *rec_b64(const struct rec *, const char *label, int secure, size_t *n);

/* Reads a decimal number without sign or leading zero.  Returns 1, or 0. */
int rec_u64(const struct rec *, const char *label, unsigned long long *v);

/* Reads n bytes of lower-case hex, n at most 32.  Returns 1, or 0. */
int rec_unhex(const struct rec *, const char *label, uint8_t *dst, size_t n);

/* Adds a record to what goes to another process. */
void rec_pack(const struct rec *, struct wire *);
/* Takes a record out of what came, where its line stays. */
void rec_unpack(struct rec *, struct wire *);

#endif
