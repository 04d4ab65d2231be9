#include "file/pem.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/heap.h"
#include "file/der.h"
#include "key/private.h"
#include "lock/budget.h"
#include "lock/passform.h"

#define PEM_KEY_ROOM (2 * FINDING_BYTES_MAX) /* bytes of a key, as base64 */

static uint8_t *
pem_secure_copy(const void *p, size_t n)
{
	uint8_t *q = OPENSSL_secure_malloc(n);

	if (q == NULL)
		heap_nomem();
	memcpy(q, p, n);
	return q;
}

/* Gives PEM_do_header() one password. */
static int
pem_give(char *buf, int size, int rw, void *form)
{
	const struct passform *f = form;

	(void)rw;
	if (f->nraw > (size_t)size)
		return -1;
	memcpy(buf, f->raw, f->nraw);
	return (int)f->nraw;
}

/* Reads a key under DEK-Info (RFC 1421 section 4.6.1.3). */
static int
pem_read_dek(char *header, const uint8_t *p, long n, struct secrets *s,
    struct findings *l, struct reason *w)
{
	EVP_CIPHER_INFO ci;
	struct passform_tries t = { .secrets = s };
	struct passform f;
	const char *dek;
	uint8_t *copy, *p8 = NULL;
	size_t len;
	long clear;

	if (!PEM_get_EVP_CIPHER_INFO(header, &ci)) {
		dek = strstr(header, "DEK-Info:");
		n = dek == NULL ? 0 : (long)strcspn(dek, ",\r\n");
		return reason_set(w, "unsupported",
		    "PEM encryption %.*s, which OpenSSL does not have here: "
		    "decrypt it where it was made",
		    (int)n, dek == NULL ? "" : dek);
	}
	while (p8 == NULL && passform_next(&t, &f)) {
		if (!f.has_raw)
			continue;
		if (!budget_spend(64 + n / 16, w))
			return 0;
		copy = pem_secure_copy(p, (size_t)n);
		clear = n;
		if (PEM_do_header(&ci, copy, &clear, pem_give, &f))
			p8 = private_traditional(copy, (size_t)clear, &len);
		OPENSSL_secure_clear_free(copy, (size_t)n);
		if (p8 != NULL)
			passform_worked(&t);
	}
	passform_wipe(&f);
	reason_clear();
	if (p8 == NULL)
		return secret_wrong(s, "encrypted PEM key does not open", w);
	findings_add_key(l, p8, len, NULL, 0);
	OPENSSL_secure_clear_free(p8, len);
	return 1;
}

/* Adds a certificate that OpenSSL's trust settings follow. */
static void
pem_read_trusted(const uint8_t *p, long n, struct findings *l)
{
	const uint8_t *q = p;
	X509 *x = d2i_X509_AUX(NULL, &q, n);
	uint8_t *der = NULL;
	int len = x == NULL ? 0 : i2d_X509(x, &der);

	findings_add_cert(l, len > 0 ? der : p, (size_t)(len > 0 ? len : n),
	    NULL, 0);
	OPENSSL_free(der);
	X509_free(x);
}

/* Reads a PEM block.  What cannot be read becomes a fault. */
static void
pem_read_block(const char *name, char *header, const uint8_t *p, long n,
    struct secrets *s, struct findings *l, struct reason *w)
{
	static const char *const skipped[] = { "EC PARAMETERS", "DH PARAMETERS",
		"X9.42 DH PARAMETERS", "DSA PARAMETERS", "RSA PUBLIC KEY" };
	struct findings one = { NULL, 0 };
	size_t i;
	int rc = 1;

	for (i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (strcmp(name, skipped[i]) == 0) {
			reason_set(w, "noted", "%s", skipped[i]);
			return;
		}
	if (strcmp(name, "TRUSTED CERTIFICATE") == 0)
		pem_read_trusted(p, n, &one);
	else if (strcmp(name, "OPENSSH PRIVATE KEY") == 0)
		rc = reason_set(w, "unsupported",
		    "OpenSSH key: not for mail: keep the file itself");
	else if (strstr(header, "ENCRYPTED") != NULL)
		rc = pem_read_dek(header, p, n, s, &one, w);
	else
		rc = der_read(p, (size_t)n, s, &one, w);
	if (!rc && strcmp(w->reason, "format") == 0 &&
	    strstr(name, "CERTIFICATE") != NULL)
		reason_set(w, "certificate",
		    "not a DER certificate (RFC 5280 section 4.1): " FINDING_ANEW);
	if (!rc)
		findings_add_fault(&one, w);
	findings_move(l, &one);
}

int
pem_seen(size_t *seen, const uint8_t *p, size_t n)
{
	static const char begin[] = PEM_BEGIN;

	for (; n > 0 && *seen < sizeof(begin) - 1; n--, p++)
		if (*p == (uint8_t)begin[*seen])
			++*seen;
		else if (*p != '-')
			*seen = 0;
		else if (*seen != 5) /* a sixth dash is one of five */
			*seen = 1;
	return *seen == sizeof(begin) - 1;
}

int
pem_is(const uint8_t *p, size_t n)
{
	size_t seen = 0;

	return pem_seen(&seen, p, n);
}

/* Returns 1 if the line has s in it. */
static int
pem_has(const uint8_t *line, size_t n, const char *s)
{
	return memmem(line, n, s, strlen(s)) != NULL;
}

/* Returns 1 if DER seems to begin in a line of base64 of any width. */
static int
pem_is_der(const uint8_t *line, size_t n)
{
	size_t i;

	for (i = 0;
	     i < n && (isalnum(line[i]) || line[i] == '+' || line[i] == '/');
	     i++)
		continue;
	return i == n && n >= 60 && memcmp(line, "MI", 2) == 0;
}

/* Returns 1 if output of uuencode(1) begins here (POSIX.1). */
static int
pem_is_uu(const uint8_t *line, size_t n)
{
	if (n > 13 && memcmp(line, "begin-base64 ", 13) == 0)
		return 1;
	return n > 10 && memcmp(line, "begin ", 6) == 0 && isdigit(line[6]) &&
	    isdigit(line[7]) && isdigit(line[8]) && line[9] == ' ';
}

/*
 * Reports what PEM_read_bio() skips silently: a block with a damaged first or
 * last line, which takes another with it, and base64 and uuencoded data between
 * the blocks.  blocks is how many it read.
 */
static void
pem_strays(const uint8_t *p, size_t n, size_t blocks, struct findings *l)
{
	const uint8_t *end = p + n, *nl;
	size_t ends = 0, len;
	int in = 0, der = 0, uu = 0;
	struct reason w;

	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		len = (size_t)(nl - p);
		len -= len > 0 && p[len - 1] == '\r';
		if (pem_is(p, len) || pem_has(p, len, "-----END ") ||
		    pem_has(p, len, "PRIVATE KEY--")) {
			in = pem_has(p, len, "BEGIN ");
			ends++;
		} else if (!in) {
			der |= pem_is_der(p, len);
			uu |= pem_is_uu(p, len);
		}
	}
	if (ends != 2 * blocks) {
		reason_set(&w, "damaged",
		    "%zu lines that begin or end a PEM block, and %zu blocks: "
		    "a line is missing or damaged, and what is there is not "
		    "read: repair the file (RFC 7468 section 2)",
		    ends, blocks);
		findings_add_fault(l, &w);
	}
	if (der) {
		reason_set(&w, "format",
		    "base64 that is in no PEM block is not read: put it into "
		    "a file of its own");
		findings_add_fault(l, &w);
	}
	if (uu) {
		reason_set(&w, "format",
		    "uuencoded data beside PEM is not read: uudecode it, and "
		    "feed that in");
		findings_add_fault(l, &w);
	}
}

/* A block from PEM_read_bio_ex(). */
struct pem_block {
	char *name, *header;
	uint8_t *der;
	long len;
};

/*
 * Reads the next block in the n bytes at *p, and moves *p behind it.  Returns
 * 1, or 0 with libcrypto's reason.  Blanks may end its lines, as the flag of
 * compatibility allows (RFC 7468 section 3).
 */
static int
pem_take(const uint8_t **p, size_t n, unsigned flags, struct pem_block *b)
{
	BIO *bio = BIO_new_mem_buf(*p, (int)n);
	char *rest;
	int rc;

	if (bio == NULL)
		heap_nomem();
	rc = PEM_read_bio_ex(bio, &b->name, &b->header, &b->der, &b->len,
	    flags | PEM_FLAG_EAY_COMPATIBLE);
	if (rc || flags == 0)
		*p += n - (size_t)BIO_get_mem_data(bio, &rest);
	BIO_free(bio);
	return rc;
}

/*
 * Returns the size of the next private key, up to the end of its block, which
 * goes into secure memory; 0 if it is something else, or larger than a key.
 */
static size_t
pem_key_size(const uint8_t *p, size_t n)
{
	const uint8_t *begin = memmem(p, n, PEM_BEGIN, strlen(PEM_BEGIN));
	const uint8_t *end, *nl, *all = p + n;

	if (begin == NULL ||
	    (nl = memchr(begin, '\n', (size_t)(all - begin))) == NULL ||
	    memmem(begin, (size_t)(nl - begin), "PRIVATE KEY", 11) == NULL)
		return 0;
	n = (size_t)(all - nl);
	if (n > PEM_KEY_ROOM)
		n = PEM_KEY_ROOM;
	if ((end = memmem(nl, n, "-----END ", 9)) == NULL)
		return 0;
	nl = memchr(end, '\n', (size_t)(all - end));
	return (size_t)((nl == NULL ? all : nl + 1) - p);
}

int
pem_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	const uint8_t *at = p, *end;
	struct pem_block b;
	size_t blocks = 0, key;
	int bad = 0;

	/* a tar of PEM files would lose the first block of each */
	while (n > 0 && p[n - 1] == '\0')
		n--;
	if (memchr(p, '\0', n) != NULL)
		return reason_set(w, "format",
		    "binary data with PEM in it: take the PEM out");
	end = p + n;
	while (l->n <= FINDINGS_MAX) {
		reason_clear();
		heap_check();
		key = pem_key_size(at, (size_t)(end - at));
		if ((key > 0 && pem_take(&at, key, PEM_FLAG_SECURE, &b)) ||
		    pem_take(&at, (size_t)(end - at), 0, &b)) {
			pem_read_block(b.name, b.header, b.der, b.len, s, l, w);
			OPENSSL_secure_free(b.name);
			OPENSSL_secure_free(b.header);
			OPENSSL_secure_clear_free(b.der, (size_t)b.len);
			blocks++;
			continue;
		}
		if (ERR_GET_REASON(ERR_peek_last_error()) ==
		    PEM_R_NO_START_LINE)
			break;
		reason_ssl(w, "damaged",
		    "PEM block cannot be read: fetch the file again, it is "
		    "damaged (RFC 7468 section 2)");
		findings_add_fault(l, w);
		bad = 1;
		if (at == end)
			break;
	}
	reason_clear();
	/* of a damaged one it is said already */
	if (blocks > 0 && !bad && l->n <= FINDINGS_MAX)
		pem_strays(p, n, blocks, l);
	if (blocks == 0 && l->n == 0)
		return reason_set(w, "format",
		    "no PEM block in it: a line that begins one is damaged: "
		    "repair the file (RFC 7468 section 2)");
	return 1;
}
