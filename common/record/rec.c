#include "record/rec.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stddef.h>
#include <string.h>

#include "base/encode.h"

/* The fields that each type must have, in the order of writing. */
static const struct {
	const char *type, *fields;
} types[] = {
	{ "stream", "v id time to lockbox signer sig" },
	{ "key",
	    "n group user mail guid serial issuer subject not_before "
	    "not_after version alg use spki sha1 sha256 source cert" },
	{ "cert",
	    "n group user mail guid serial issuer subject not_before "
	    "not_after version alg use spki sha1 sha256 source cert" },
	{ "fault", "n source reason detail" },
	{ "end", "n keys certs faults sha256 sig" },
	{ "archived",
	    "n id disposition submitted requester group user mail "
	    "guid serial issuer subject not_before not_after alg spki ski "
	    "sha1 sha256 kra cert" },
	{ "audit", "n id when caller action detail digest hash" },
	{ "setting", "n name value audit cert" },
	{ "agent", "n id added audit cert" },
	{ "version", "n id audit kra format blob" },
	{ "verdict", "n user sha1 status reason" },
	{ "result", "n status id sha1 serial user kra reason" },
	{ "flag", "name old new set" },
	{ "kra",
	    "n status sha1 sha256 serial issuer subject not_before "
	    "not_after alg reason cert" },
};

int
rec_is(const struct rec *r, const char *type)
{
	return r->field[0].vlen == strlen(type) &&
	    memcmp(r->field[0].val, type, r->field[0].vlen) == 0;
}

static const struct rec_field *
find(const struct rec *r, const char *label, size_t n)
{
	size_t i;

	for (i = 1; i < r->nfields; i++)
		if (r->field[i].llen == n &&
		    memcmp(r->field[i].label, label, n) == 0)
			return &r->field[i];
	return NULL;
}

/* Returns the base64 twin of a text field. */
static const struct rec_field *
twin(const struct rec *r, const char *label, size_t n)
{
	char name[64];

	if (n + 4 >= sizeof(name))
		return NULL;
	memcpy(name, label, n);
	memcpy(name + n, "_b64", 4);
	return find(r, name, n + 4);
}

int
rec_complete(const struct rec *r, struct reason *w)
{
	const char *p = NULL;
	size_t i, n;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (rec_is(r, types[i].type))
			p = types[i].fields;
	for (; p != NULL && *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if (find(r, p, n) == NULL && twin(r, p, n) == NULL)
			return reason_set(w, "record",
			    "%.*s record without %.*s", (int)r->field[0].vlen,
			    r->field[0].val, (int)n, p);
	}
	return 1;
}

const struct rec_field *
rec_get0(const struct rec *r, const char *label)
{
	return find(r, label, strlen(label));
}

const struct rec_field *
rec_either0(const struct rec *r, const char *label)
{
	const struct rec_field *f = rec_get0(r, label);

	return f != NULL ? f : twin(r, label, strlen(label));
}

int
rec_has(const struct rec *r, const char *label)
{
	const struct rec_field *f = rec_either0(r, label);

	return f != NULL && f->vlen > 0;
}

int
rec_eq(const struct rec *r, const char *label, const char *s)
{
	const struct rec_field *f = rec_get0(r, label);

	return f != NULL && f->vlen == strlen(s) &&
	    memcmp(f->val, s, f->vlen) == 0;
}

uint8_t *
rec_b64(const struct rec *r, const char *label, int secure, size_t *n)
{
	const struct rec_field *f = rec_get0(r, label);
	uint8_t *p;
	size_t cap;

	errno = 0;
	if (f == NULL)
		return NULL;
	cap = f->vlen / 4 * 3 + 1;
	p = secure ? OPENSSL_secure_malloc(cap) : OPENSSL_malloc(cap);
	if (p == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	if (encode_b64_decode(p, n, f->val, f->vlen))
		return p;
	if (secure)
		OPENSSL_secure_clear_free(p, cap);
	else
		OPENSSL_free(p);
	return NULL;
}

char *
rec_text(const struct rec *r, const char *label, size_t *n)
{
	const struct rec_field *f;
	size_t i, len = 0;
	char *s;

	if ((f = rec_get0(r, label)) == NULL) {
		if ((f = twin(r, label, strlen(label))) == NULL ||
		    (s = OPENSSL_malloc(f->vlen / 4 * 3 + 1)) == NULL)
			return NULL;
		if (!encode_b64_decode((uint8_t *)s, &len, f->val, f->vlen)) {
			OPENSSL_free(s);
			return NULL;
		}
	} else {
		if ((s = OPENSSL_malloc(f->vlen + 1)) == NULL)
			return NULL;
		for (i = 0; i < f->vlen; i++) {
			s[len] = f->val[i];
			if (f->val[i] == '\\')
				switch (f->val[++i]) {
				case 't':
					s[len] = '\t';
					break;
				case 'n':
					s[len] = '\n';
					break;
				case 'r':
					s[len] = '\r';
					break;
				default:
					break;
				}
			len++;
		}
	}
	s[len] = '\0';
	if (n != NULL)
		*n = len;
	return s;
}

struct text
rec_text_own(const struct rec *r, const char *label, char **own)
{
	struct text t = { "", 0 };

	if ((*own = rec_text(r, label, &t.n)) != NULL)
		t.s = *own;
	return t;
}

int
rec_u64(const struct rec *r, const char *label, unsigned long long *v)
{
	const struct rec_field *f = rec_get0(r, label);
	size_t i;

	if (f == NULL || f->vlen == 0 || f->vlen > 19 ||
	    (f->val[0] == '0' && f->vlen > 1))
		return 0;
	for (*v = 0, i = 0; i < f->vlen; i++) {
		if (f->val[i] < '0' || f->val[i] > '9')
			return 0;
		*v = *v * 10 + (unsigned)(f->val[i] - '0');
	}
	return 1;
}

int
rec_unhex(const struct rec *r, const char *label, uint8_t *dst, size_t n)
{
	const struct rec_field *f = rec_get0(r, label);
	char again[65];
	size_t i;
	int hi, lo;

	if (f == NULL || f->vlen != 2 * n)
		return 0;
	for (i = 0; i < n; i++) {
		hi = OPENSSL_hexchar2int((unsigned char)f->val[2 * i]);
		lo = OPENSSL_hexchar2int((unsigned char)f->val[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return 0;
		dst[i] = (uint8_t)(hi << 4 | lo);
	}
	return memcmp(encode_hex(again, dst, n), f->val, 2 * n) == 0;
}

void
rec_pack(const struct rec *r, struct wire *f)
{
	wire_room(f,
	    offsetof(struct rec, field) + r->nfields * sizeof(r->field[0]) +
		r->len);
	wire_add(f, r, offsetof(struct rec, field));
	wire_add(f, r->field, r->nfields * sizeof(r->field[0]));
	wire_add(f, r->line, r->len);
}

void
rec_unpack(struct rec *r, struct wire *f)
{
	const char *was;
	size_t i;

	memcpy(r, wire_next(f, offsetof(struct rec, field)),
	    offsetof(struct rec, field));
	memcpy(r->field, wire_next(f, r->nfields * sizeof(r->field[0])),
	    r->nfields * sizeof(r->field[0]));
	was = r->line;
	r->line = wire_next(f, r->len);
	for (i = 0; i < r->nfields; i++) {
		r->field[i].label = r->line + (r->field[i].label - was);
		r->field[i].val = r->line + (r->field[i].val - was);
	}
}
