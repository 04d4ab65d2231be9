/* ca-recover(1): opens archived keys with the key of one of their KRAs. */

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"
#include "cred.h"
#include "input.h"
#include "kra.h"
#include "msg.h"
#include "pkey.h"
#include "recovery.h"
#include "sandbox.h"
#include "stream.h"
#include "tool.h"
#include "who.h"

static const char usage[] = "[-PqVv] [-C cert]... -k cred [-p secret]...";

struct recover {
	struct input in;
	struct stream_out out;
	int status;
};

/* The key of an EnvelopedData, proven against its certificate. */
static uint8_t *
open_key(const struct recover *rv, const uint8_t *blob, size_t n,
    const struct cert *c, size_t *len, struct why *w)
{
	uint8_t *plain, *p8;
	size_t nplain;

	if (!kra_decrypt(&rv->in.k, blob, n, &plain, &nplain, w))
		return NULL;
	p8 = recovery_key(plain, nplain, len);
	OPENSSL_secure_clear_free(plain, nplain);
	/* the same words as for bad padding: no oracle */
	if (p8 != NULL && pkey_prove(p8, *len, c, w))
		return p8;
	OPENSSL_secure_clear_free(p8, p8 == NULL ? 0 : *len);
	why_set(w, "blob", "the archived key does not decrypt");
	return NULL;
}

/* The certificate among certs that the blob names, or else whose key it is. */
static uint8_t *
match_cert(const struct recover *rv, const uint8_t *blob, size_t n,
    STACK_OF(X509) *certs, const uint8_t *hash, struct cert **c, size_t *len,
    struct why *w)
{
	uint8_t *der, *p8 = NULL;
	int i, size;

	why_set(w, "blob",
	    "no certificate in the recovery blob is that of "
	    "the key");
	for (i = 0; p8 == NULL && i < sk_X509_num(certs); i++) {
		der = NULL;
		size = i2d_X509(sk_X509_value(certs, i), &der);
		if (size > 0 && cert_new(c, der, (size_t)size, w)) {
			if (hash == NULL || memcmp((*c)->sha1, hash, 20) == 0)
				p8 = open_key(rv, blob, n, *c, len, w);
			if (p8 == NULL)
				cert_free(*c);
		}
		OPENSSL_free(der);
	}
	return p8;
}

/* The key of a signed recovery blob, and the certificate it belongs to. */
static uint8_t *
open_signed(const struct recover *rv, const uint8_t *der, size_t n,
    struct cert **c, size_t *len, struct why *w)
{
	STACK_OF(X509) *certs;
	uint8_t *blob, *p8, hash[20];
	size_t nblob;
	int has_hash;

	if (!recovery_open(der, n,
		rv->in.trusted.n > 0 ? &rv->in.trusted : NULL, &blob, &nblob,
		&certs, hash, &has_hash, w))
		return NULL;
	p8 = match_cert(rv, blob, nblob, certs, has_hash ? hash : NULL, c, len,
	    w);
	OPENSSL_free(blob);
	sk_X509_pop_free(certs, X509_free);
	return p8;
}

/* The key of an `archived' record. */
static uint8_t *
open_row(const struct recover *rv, const struct rec *r, struct cert **c,
    size_t *len, struct why *w)
{
	uint8_t *der, *p8 = NULL;
	size_t n;

	if ((der = rec_b64(r, "recovery", 0, &n)) != NULL) {
		p8 = open_signed(rv, der, n, c, len, w);
		OPENSSL_free(der);
		return p8;
	}
	if (rv->in.trusted.n > 0) {
		why_set(w, "signature",
		    "not signed, and -C wants that: export "
		    "it with ca-export -k");
		return NULL;
	}
	if ((der = rec_b64(r, "cert", 0, &n)) == NULL ||
	    !cert_new(c, der, n, w)) {
		OPENSSL_free(der);
		why_set(w, "certificate", "no certificate in the record");
		return NULL;
	}
	OPENSSL_free(der);
	der = rec_b64(r, "blob", 0, &n);
	if (der == NULL || n == 0)
		why_set(w, "blob", "no archived key in this row");
	else
		p8 = open_key(rv, der, n, *c, len, w);
	OPENSSL_free(der);
	if (p8 == NULL)
		cert_free(*c);
	return p8;
}

/* Writes a recovered key; r is the row it came from, or NULL. */
static void
put(struct recover *rv, const struct rec *r, struct cert *c, uint8_t *p8,
    size_t n)
{
	static const char *const labels[] = { "group", "user", "mail", "guid" };
	struct text none = { NULL, 0 }, *dst[4];
	char *own[4] = { NULL }, source[64] = "stdin", *id;
	struct stream_rec e;
	int i;

	memset(&e, 0, sizeof(e));
	who_cert(&e, c, none);
	e.guid.s = "";
	e.cert = c;
	e.key = p8;
	e.keylen = n;
	dst[0] = &e.group;
	dst[1] = &e.user;
	dst[2] = &e.mail;
	dst[3] = &e.guid;
	for (i = 0; r != NULL && i < 4; i++)
		if ((own[i] = rec_text(r, labels[i], &dst[i]->n)) != NULL)
			dst[i]->s = own[i];
	if (r != NULL && (id = rec_text(r, "id", NULL)) != NULL) {
		(void)snprintf(source, sizeof(source), "request %s", id);
		OPENSSL_free(id);
	}
	e.source.s = source;
	e.source.n = strlen(source);
	if (!stream_put(&rv->out, &e))
		rv->status = 1;
	for (i = 0; i < 4; i++)
		OPENSSL_free(own[i]);
	OPENSSL_secure_clear_free(p8, n);
	cert_free(c);
}

static void
row(struct recover *rv)
{
	const struct stream_in *s = rv->in.stream;
	struct cert *c;
	struct why w;
	uint8_t *p8;
	size_t n;

	if (!rec_is(&s->rec, "archived"))
		return;
	if ((p8 = open_row(rv, &s->rec, &c, &n, &w)) != NULL) {
		put(rv, &s->rec, c, p8, n);
		return;
	}
	rv->status = 1;
	msg_record("stdin:%llu: record %llu: %s", s->rec.lineno, s->n,
	    w.detail);
}

/* A recovery blob of certutil -getkey, DER or PEM. */
static void
windows(struct recover *rv)
{
	char *name = NULL, *header = NULL;
	uint8_t *raw, *der, *p8;
	struct cert *c;
	struct why w;
	size_t n, len;
	long size;
	BIO *bio;

	if ((raw = rec_in_rest(rv->in.in, CRED_FILE_MAX, &n, &w)) == NULL)
		msg_die("stdin: %s", w.detail);
	if (n == 0)
		msg_die("stdin: empty input: expected archived records or a "
			"recovery blob");
	der = raw;
	len = n;
	bio = BIO_new_mem_buf(raw, (int)n);
	if (bio != NULL && raw[0] != 0x30 &&
	    PEM_read_bio(bio, &name, &header, &der, &size))
		len = (size_t)size;
	BIO_free(bio);
	if ((p8 = open_signed(rv, der, len, &c, &len, &w)) != NULL)
		put(rv, NULL, c, p8, len);
	else {
		rv->status = 1;
		msg_record("stdin: %s", w.detail);
	}
	if (der != raw)
		OPENSSL_free(der);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(raw);
}

int
main(int argc, char *argv[])
{
	struct recover rv;
	enum stream_event ev;
	struct why w;
	int c;

	tool_start();
	memset(&rv, 0, sizeof(rv));
	while ((c = getopt(argc, argv, "+C:k:Pp:qVv")) != -1)
		if (!input_option(&rv.in, c) && !tool_option(c))
			tool_usage(usage);
	if (rv.in.key == NULL || optind != argc)
		tool_usage(usage);
	tool_no_terminal("clear keys");
	input_cred(&rv.in);
	input_open(&rv.in, NULL, NULL);
	if (!stream_out_plain(&rv.out, stdout))
		tool_nomem();
	sandbox_enter(NULL);

	if (rec_in_is_rec(rv.in.in)) {
		while ((ev = stream_next(rv.in.stream)) > STREAM_EOF)
			if (ev == STREAM_REC)
				row(&rv);
		if (ev == STREAM_BROKEN)
			input_broken(&rv.in);
	} else
		windows(&rv);
	if (rv.out.rec->n == 0)
		rv.status = 1;
	if (!stream_close(&rv.out, &w))
		msg_die("%s", w.detail);

	input_close(&rv.in);
	return tool_end(rv.status);
}
