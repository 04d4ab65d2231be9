#include "file/epf.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/encode.h"
#include "base/heap.h"
#include "file/epf_open.h"
#include "file/pem.h"
#include "lock/budget.h"

#define LOCKED_MIN 32 /* bytes; what is shorter is no key */
#define SALT_MIN   4
#define LINE_MIN   60 /* bytes of a line of base64 */

/* Tried if no number in the profile can be the count. */
static const long usual_counts[] = { 1, 8, 100, 128, 256, 500, 512, 1000, 1024,
	2000, 2048, 4096, 5000, 8192, 10000 };

/* The text, read value by value. */
struct epf_text {
	const char *at, *end;
	char *value; /* EPF_VALUE_MAX */
	size_t n; /* may be past it: then it was not kept */
	size_t sections, lines;
	size_t strays; /* lines that have no business in a profile */
};

/* Reads a line, without its end and outer blanks.  Returns 0 at the end. */
static int
epf_next_line(struct epf_text *r, const char **s, size_t *n)
{
	const char *nl;

	if (r->at == r->end)
		return 0;
	nl = memchr(r->at, '\n', (size_t)(r->end - r->at));
	*s = r->at;
	*n = (size_t)((nl == NULL ? r->end : nl) - r->at);
	r->at = nl == NULL ? r->end : nl + 1;
	while (*n > 0 && strchr(" \t\r", (*s)[*n - 1]) != NULL)
		--*n;
	while (*n > 0 && strchr(" \t", **s) != NULL) {
		++*s;
		--*n;
	}
	r->lines++;
	return 1;
}

static void
epf_append(struct epf_text *r, const char *s, size_t n)
{
	if (r->n <= EPF_VALUE_MAX && n <= EPF_VALUE_MAX - r->n)
		memcpy(r->value + r->n, s, n);
	else
		r->n = EPF_VALUE_MAX + 1, n = 0;
	r->n += n;
}

/* Returns 1 if the line is one of records, base64 or uuencoded data. */
static int
epf_is_stray(const char *s, size_t n)
{
	size_t i;

	if (n > 6 && (memcmp(s, "rec:", 4) == 0 || memcmp(s, "begin ", 6) == 0))
		return 1;
	/* DER, or PEM once more in base64 */
	if (n < LINE_MIN ||
	    (memcmp(s, "MI", 2) != 0 && memcmp(s, "LS0tLS1CRUdJTi", 14) != 0))
		return 0;
	for (i = 0;
	     i < n && (isalnum((uint8_t)s[i]) || s[i] == '+' || s[i] == '/');
	     i++)
		continue;
	return n - i <= 2 && (i == n || s[i] == '=');
}

/* Reads the next value, with its continuation lines.  Returns 0 at the end. */
static int
epf_next_value(struct epf_text *r)
{
	static const char more[] = "_continue_=";
	const char *s, *eq, *back;
	size_t n, len = sizeof(more) - 1;

	r->n = 0;
	do {
		if (!epf_next_line(r, &s, &n))
			return 0;
		if (n > 2 && s[0] == '[' && s[n - 1] == ']')
			r->sections++;
		eq = n == 0 || s[0] == '[' ? NULL : memchr(s, '=', n);
		r->strays += (size_t)epf_is_stray(s, n);
	} while (eq == NULL);
	epf_append(r, eq + 1, n - (size_t)(eq + 1 - s));
	for (back = r->at; epf_next_line(r, &s, &n); back = r->at) {
		if (n < len || memcmp(s, more, len) != 0) {
			r->at = back;
			r->lines--;
			break;
		}
		epf_append(r, s + len, n - len);
	}
	return 1;
}

static void
epf_start(struct epf_text *r, const uint8_t *p, size_t n)
{
	memset(r, 0, sizeof(*r));
	r->at = (const char *)p;
	r->end = r->at + n;
	if ((r->value = OPENSSL_malloc(EPF_VALUE_MAX)) == NULL)
		heap_nomem();
}

/* Returns the value as binary, for the caller to free; NULL: no base64. */
static uint8_t *
epf_decode(const struct epf_text *r, size_t *n)
{
	uint8_t *p;

	if (r->n == 0 || r->n > EPF_VALUE_MAX)
		return NULL;
	if ((p = OPENSSL_malloc(r->n)) == NULL)
		heap_nomem();
	if (encode_b64_decode(p, n, r->value, r->n))
		return p;
	OPENSSL_free(p);
	return NULL;
}

static int
epf_is_cert(const uint8_t *p, size_t n)
{
	struct cert *c;
	struct reason w;

	if (n < 16 || epf_sequence(p, n) != n || !cert_new(&c, p, n, &w)) {
		reason_clear();
		return 0;
	}
	cert_free(c);
	return 1;
}

int
epf_is(const uint8_t *p, size_t n)
{
	struct epf_text r;
	uint8_t *der;
	size_t len;
	int found = 0;

	if (n == 0 || memchr(p, '\0', n) != NULL)
		return 0;
	epf_start(&r, p, n);
	while (!(found && r.sections > 0) && epf_next_value(&r)) {
		/* 0x30 0x80 to 0x83 */
		if (found || r.n < 2 || memcmp(r.value, "MI", 2) != 0)
			continue;
		if ((der = epf_decode(&r, &len)) != NULL)
			found = epf_is_cert(der, len);
		OPENSSL_free(der);
	}
	OPENSSL_free(r.value);
	return found && r.sections > 0;
}

/* Notes the first ceiling that was passed. */
static void
epf_over(struct epf *f, int max, const char *what)
{
	if (*f->over.detail == '\0')
		reason_set(&f->over, "ceiling",
		    "more than %d values that may be %s, the ceiling", max,
		    what);
}

/*
 * Adds a number that may be an iteration count; the small ones are kept, in
 * order.  Returns 1 if it was a number.
 */
static int
epf_add_count(struct epf *f, const struct epf_text *r)
{
	long v = 0;
	size_t i;

	for (i = 0; i < r->n && v <= KDF_ROUNDS_MAX; i++) {
		if (r->value[i] < '0' || r->value[i] > '9')
			return 0;
		v = 10 * v + (r->value[i] - '0');
	}
	if (v < 1 || v > KDF_ROUNDS_MAX)
		return r->n > 0;
	for (i = 0; i < f->ncounts && f->count[i] < v; i++)
		continue;
	if (i < f->ncounts && f->count[i] == v)
		return 1;
	if (f->ncounts == EPF_COUNTS_MAX) {
		epf_over(f, EPF_COUNTS_MAX, "an iteration count");
		if (i == f->ncounts)
			return 1;
		f->ncounts--;
	}
	memmove(f->count + i + 1, f->count + i,
	    (f->ncounts - i) * sizeof(*f->count));
	f->count[i] = v;
	f->ncounts++;
	return 1;
}

static void
epf_add_salt(struct epf *f, const struct epf_text *r)
{
	size_t i;

	for (i = 0; i < f->nsalts; i++)
		if (strlen(f->salt[i]) == r->n &&
		    memcmp(f->salt[i], r->value, r->n) == 0)
			return;
	if (f->nsalts == EPF_SALTS_MAX) {
		epf_over(f, EPF_SALTS_MAX, "a salt");
		return;
	}
	memcpy(f->salt[f->nsalts], r->value, r->n);
	f->salt[f->nsalts++][r->n] = '\0';
}

/* Returns 1 if it came before: to compare all is cheaper than to parse one. */
static int
epf_has_cert(const struct epf *f, const uint8_t *der, size_t n)
{
	const struct cert *c;
	size_t i;

	for (i = 0; i < f->l->n; i++) {
		c = f->l->v[i].cert;
		if (c != NULL && c->len == n && memcmp(c->der, der, n) == 0)
			return 1;
	}
	return 0;
}

/* Keeps what may be an encrypted key.  Returns 1 if p is taken. */
static int
epf_add_locked(struct epf *f, uint8_t *p, size_t n)
{
	struct reason w;

	if (n <= FINDING_BYTES_MAX && f->n < EPF_LOCKED_MAX) {
		f->v[f->n].p = p;
		f->v[f->n++].n = n;
		f->closed++;
		return 1;
	}
	if (n > FINDING_BYTES_MAX)
		reason_set(&w, "ceiling",
		    "an encrypted value of more than %d bytes, the ceiling",
		    FINDING_BYTES_MAX);
	else if (!f->full)
		reason_set(&w, "ceiling",
		    "more than %d encrypted values, the ceiling: the others "
		    "were not tried",
		    EPF_LOCKED_MAX);
	else
		return 0;
	f->full = n <= FINDING_BYTES_MAX;
	findings_add_fault(f->l, &w);
	return 0;
}

/* Adds a value as what its content says it can be. */
static void
epf_add_value(struct epf *f, const struct epf_text *r)
{
	struct reason w;
	uint8_t *p;
	size_t n;

	if (r->n > EPF_VALUE_MAX) {
		reason_set(&w, "ceiling",
		    "line %zu: a value of more than %d bytes, the ceiling",
		    r->lines, EPF_VALUE_MAX);
		findings_add_fault(f->l, &w);
		return;
	}
	if (epf_add_count(f, r) || (p = epf_decode(r, &n)) == NULL)
		return;
	if (n >= SALT_MIN && n <= EPF_SALT_LEN)
		epf_add_salt(f, r);
	/* what is DER from end to end is not encrypted */
	if (n >= 16 && epf_sequence(p, n) == n) {
		if (!epf_has_cert(f, p, n) && epf_is_cert(p, n))
			findings_add_cert(f->l, p, n, NULL, 0);
	} else if (n >= LOCKED_MIN && n % 8 == 0 && epf_add_locked(f, p, n))
		return;
	OPENSSL_free(p);
}

/* Returns 1 for a user's encryption certificate without a key. */
static int
epf_lacks_key(const struct findings *l, const struct finding *it)
{
	X509 *x;
	int ca;

	if (it->kind != FINDING_CERT || strcmp(it->cert->use, "sign") == 0 ||
	    findings_key0(l, it->id) != NULL)
		return 0;
	x = cert_x509(it->cert);
	ca = x != NULL && X509_check_ca(x);
	X509_free(x);
	reason_clear();
	return !ca;
}

/* Adds a fault, if needed, for what stays closed or lacks its key. */
static void
epf_account(struct epf *f)
{
	const char *detail = *f->over.detail != '\0' ?
	    f->over.detail :
	    "wrong password, damaged file, or a variant that is not known; "
	    "export PFX where it was made";
	const char *reason = *f->over.detail != '\0' ? "ceiling" : "password";
	size_t lost = 0, i;
	struct reason w;

	for (i = 0; i < f->l->n; i++)
		lost += (size_t)epf_lacks_key(f->l, &f->l->v[i]);
	if (lost == 0 && f->closed == 0)
		return;
	if (f->closed == 0)
		reason_set(&w, "empty",
		    "%zu certificates have no key, and no encrypted value "
		    "is left: the file was cut, or its keys are elsewhere",
		    lost);
	else if (f->closed == f->n)
		reason_set(&w, reason,
		    "%zu encrypted values, and none can be decrypted: %s",
		    f->closed, detail);
	else
		reason_set(&w, reason,
		    "%zu encrypted values could not be decrypted, and %zu "
		    "certificates have no key: %s",
		    f->closed, lost, detail);
	findings_add_fault(f->l, &w);
}

/* Reads PEM beside the sections; other lines there are a fault. */
static void
epf_beside(const uint8_t *p, size_t n, size_t strays, struct secrets *s,
    struct findings *l)
{
	struct reason w;

	if (pem_is(p, n)) {
		budget_start();
		if (!pem_read(p, n, s, l, &w))
			findings_add_fault(l, &w);
	} else if (strays > 0) {
		reason_set(&w, "format",
		    "%zu lines in it are no part of a profile, and not read: "
		    "if they hold keys, put them into a file of their own",
		    strays);
		findings_add_fault(l, &w);
	}
}

int
epf_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	struct epf *f;
	struct epf_text r;

	if (!epf_is(p, n))
		return reason_set(w, "format",
		    "not an Entrust or Outlook profile: no [Section] line, or "
		    "no value that is a certificate");
	if ((f = OPENSSL_zalloc(sizeof(*f))) == NULL ||
	    (f->v = OPENSSL_zalloc(EPF_LOCKED_MAX * sizeof(*f->v))) == NULL)
		heap_nomem();
	f->l = l;
	budget_start_with(EPF_WORK_MAX);
	epf_start(&r, p, n);
	while (epf_next_value(&r))
		epf_add_value(f, &r);
	OPENSSL_free(r.value);
	if (f->nsalts == 0)
		f->nsalts = 1; /* the empty one */
	if (f->ncounts == 0) {
		f->ncounts = sizeof(usual_counts) / sizeof(usual_counts[0]);
		memcpy(f->count, usual_counts, sizeof(usual_counts));
	}
	epf_open(f, s);
	epf_account(f);
	epf_beside(p, n, r.strays, s, l);
	while (f->n > 0)
		OPENSSL_free(f->v[--f->n].p);
	OPENSSL_free(f->v);
	OPENSSL_free(f);
	reason_clear();
	return 1;
}
