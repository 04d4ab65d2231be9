#include "file/file.h"

#include <openssl/crypto.h>
#include <string.h>

#include "file/der.h"
#include "file/epf.h"
#include "file/foreign.h"
#include "file/magic.h"
#include "file/p12.h"
#include "file/pem.h"
#include "file/pvk.h"
#include "file/records.h"
#include "file/textform.h"
#include "key/winblob.h"
#include "lock/budget.h"

static int file_read_any(const uint8_t *p, size_t n, struct secrets *,
    struct findings *l, struct reason *w);

/* Reads a file that is text in UTF-16.  Returns -1 if it is not. */
static int
file_read_utf16(const uint8_t *p, size_t n, struct secrets *s,
    struct findings *l, struct reason *w)
{
	uint8_t *text;
	size_t len;
	int rc;

	if ((text = textform_utf16(p, n, &len)) == NULL)
		return -1;
	rc = file_read_any(text, len, s, l, w);
	OPENSSL_clear_free(text, len);
	return rc;
}

/* Reads a file of no known format, which may be DER in base64. */
static int
file_read_base64(const uint8_t *p, size_t n, struct secrets *s,
    struct findings *l, struct reason *w)
{
	uint8_t *der = NULL;
	size_t len;
	int rc;

	reason_set(w, "format",
	    "not a format that is read here: if it holds keys, get them out as PKCS#12");
	if (p[0] == 'M')
		der = textform_base64(p, n, &len);
	if (der == NULL)
		return 0;
	rc = der_read(der, len, s, l, w);
	OPENSSL_clear_free(der, len);
	return rc;
}

/* Reads a file that is no archive and not empty. */
static int
file_read_any(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	uint8_t *p8;
	size_t len;
	int rc;

	if (p[0] == 0x30)
		return der_read(p, n, s, l, w);
	if (n > 4 && memcmp(p, "rec:", 4) == 0)
		return records_read(p, n, l, w);
	if ((rc = file_read_utf16(p, n, s, l, w)) != -1)
		return rc;
	if ((p8 = winblob_capi(p, n, &len)) != NULL) {
		findings_add_key(l, p8, len, NULL, 0);
		OPENSSL_secure_clear_free(p8, len);
		return 1;
	}
	if (pvk_is(p, n))
		return pvk_read(p, n, s, l, w);
	if (foreign_named(p, n, w))
		return 0;
	if (epf_is(p, n))
		return epf_read(p, n, s, l, w);
	if (pem_is(p, n))
		return pem_read(p, n, s, l, w);
	return file_read_base64(p, n, s, l, w);
}

/* Does as file_read(), and frees what p12_ahead() made for it, or NULL. */
static int
file_read_ahead(const uint8_t *p, size_t n, struct secrets *s, struct ahead *a,
    struct findings *l, struct reason *w)
{
	const struct magic *archive;
	int rc;

	budget_start();
	w->reason = "";
	if (n == 0)
		return reason_set(w, "empty", "empty file: fetch it again");
	if (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0)
		return reason_set(w, "empty",
		    "nothing but zero bytes, or an empty tar: fetch it again");
	if ((archive = magic_of(p, n)) != NULL) {
		ahead_free(a);
		return reason_set(w, "unsupported",
		    "%s archive: unpack it and feed in what it holds",
		    archive->name);
	}
	rc = a != NULL ? p12_read(p, n, s, a, l, w) :
			 file_read_any(p, n, s, l, w);
	if (rc && l->n == 0 && strcmp(w->reason, "noted") != 0)
		rc = reason_set(w, "empty",
		    "no key and no certificate in it: look at what it is");
	return rc;
}

int
file_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	return file_read_ahead(p, n, s, NULL, l, w);
}

void
file_read_many(struct file_job *j, size_t n, struct secrets *s)
{
	struct ahead *a[FILE_MANY], *all[FILE_MANY] = { NULL };
	size_t i, m = 0;

	budget_start();
	for (i = 0; i < n; i++) {
		s->first = j[i].first;
		if ((a[i] = p12_ahead(j[i].p, j[i].n, s)) != NULL)
			all[m++] = a[i];
	}
	ahead_derive(all, m);
	budget_shared();
	for (i = 0; i < n; i++) {
		s->first = j[i].first;
		j[i].ok = file_read_ahead(j[i].p, j[i].n, s, a[i], &j[i].l,
		    &j[i].why);
	}
	s->first = NULL;
}
