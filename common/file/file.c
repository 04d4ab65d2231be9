#include "file/file.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/heap.h"
#include "file/der.h"
#include "file/epf.h"
#include "file/foreign.h"
#include "file/magic.h"
#include "file/pem.h"
#include "key/winblob.h"
#include "lock/budget.h"
#include "record/stream_read.h"

/* Plain records, such as p12-extract writes them. */
static int
read_records(const uint8_t *p, size_t n, struct findings *l, struct reason *w)
{
	struct rec_in *in = rec_in_mem(p, n);
	struct stream_in *st = in == NULL ? NULL :
					    stream_in_new(in, NULL, NULL, 0);
	enum stream_event ev;
	uint8_t *der;
	char *detail;
	size_t len;

	if (st == NULL)
		heap_nomem();
	while ((ev = stream_next(st)) > STREAM_EOF) {
		if (ev == STREAM_HEAD) {
			ev = STREAM_BROKEN;
			reason_set(&st->why, "format",
			    "a sealed stream: read it "
			    "with kms-verify or ca-import");
			break;
		}
		if (ev != STREAM_REC)
			continue;
		if (rec_is(&st->rec, "fault")) {
			detail = rec_text(&st->rec, "detail", NULL);
			reason_set(w, "damaged", "line %llu: %s",
			    st->rec.lineno, detail == NULL ? "" : detail);
			findings_add_fault(l, w);
			OPENSSL_free(detail);
		}
		if (st->key != NULL)
			findings_add_key(l, st->key, st->keylen, NULL, 0);
		if (rec_get0(&st->rec, "cert") == NULL)
			continue;
		if ((der = rec_b64(&st->rec, "cert", 0, &len)) == NULL) {
			ev = STREAM_BROKEN;
			reason_set(&st->why, "record",
			    "cert is not base64: make the records anew");
			break;
		}
		findings_add_cert(l, der, len, NULL, 0);
		OPENSSL_free(der);
	}
	if (ev == STREAM_BROKEN)
		reason_set(w, "damaged", "line %llu: %s", st->rec.lineno,
		    st->why.detail);
	stream_in_free(st);
	rec_in_free(in);
	return ev == STREAM_EOF;
}

/* Text of Windows' "Unicode" as one byte a character, or NULL. */
static uint8_t *
from_utf16(const uint8_t *p, size_t n)
{
	size_t i, low = p[0] == 0xff ? 0 : 1;
	uint8_t *out = OPENSSL_malloc(n / 2);

	if (out == NULL)
		heap_nomem();
	for (i = 2; i + 1 < n; i += 2) {
		if (p[i + 1 - low] != 0) {
			OPENSSL_clear_free(out, n / 2);
			return NULL;
		}
		out[i / 2 - 1] = p[i + low];
	}
	return out;
}

/* DER that somebody wrote as base64 without PEM's lines around it. */
static int
read_base64(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	uint8_t *der = OPENSSL_malloc(n + 1);
	int len = 0, last = 0, rc;

	if (ctx == NULL || der == NULL)
		heap_nomem();
	EVP_DecodeInit(ctx);
	rc = EVP_DecodeUpdate(ctx, der, &len, p, (int)n) >= 0 &&
	    EVP_DecodeFinal(ctx, der + len, &last) == 1 && len > 0 &&
	    der[0] == 0x30 && der_read(der, (size_t)(len + last), s, l, w);
	EVP_ENCODE_CTX_free(ctx);
	OPENSSL_clear_free(der, n + 1);
	reason_clear();
	return rc;
}

/* Whatever is no archive and not empty. */
static int
read_any(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	uint8_t *text, *p8;
	size_t len;
	int rc;

	if (p[0] == 0x30)
		return der_read(p, n, s, l, w);
	if (n > 4 && memcmp(p, "rec:", 4) == 0)
		return read_records(p, n, l, w);
	if (n > 4 &&
	    (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0) &&
	    (text = from_utf16(p, n)) != NULL) {
		rc = read_any(text, n / 2 - 1, s, l, w);
		OPENSSL_clear_free(text, n / 2);
		return rc;
	}
	if ((p8 = winblob_capi(p, n, &len)) != NULL) {
		findings_add_key(l, p8, len, NULL, 0);
		OPENSSL_secure_clear_free(p8, len);
		return 1;
	}
	if (foreign_named(p, n, w))
		return 0;
	if (epf_is(p, n))
		return epf_read(p, n, s, l, NULL, w);
	if (pem_is(p, n))
		return pem_read(p, n, s, l, w);
	reason_set(w, "format",
	    "not a format that is read here: if it holds keys, get them out as PKCS#12");
	return p[0] == 'M' && read_base64(p, n, s, l, w);
}

int
file_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
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
	if ((archive = magic_of(p, n)) != NULL)
		return reason_set(w, "unsupported",
		    "%s archive: unpack it and feed in what it holds",
		    archive->name);
	rc = read_any(p, n, s, l, w);
	if (rc && l->n == 0 && strcmp(w->reason, "noted") != 0)
		rc = reason_set(w, "empty",
		    "no key and no certificate in it: look at what it is");
	return rc;
}
