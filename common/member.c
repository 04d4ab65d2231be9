#include "member.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "epf.h"
#include "p12.h"
#include "pkey.h"
#include "rec.h"
#include "stream.h"
#include "tool.h"

#define ESE_MAGIC "\xef\xcd\xab\x89" /* at offset 4, libesedb */

static uint8_t *
secure_copy(const void *p, size_t n)
{
	uint8_t *q = OPENSSL_secure_malloc(n);

	if (q == NULL)
		tool_nomem();
	memcpy(q, p, n);
	return q;
}

/* Encrypted PKCS#8 (RFC 5208 section 6), tried with each password. */
static int
read_encrypted(const X509_SIG *sig, struct secrets *s, struct items *l,
    struct why *w)
{
	PKCS8_PRIV_KEY_INFO *info = NULL;
	const X509_ALGOR *alg;
	const char *pass;
	uint8_t *p8, *q;
	size_t i;
	int n;

	X509_SIG_get0(sig, &alg, NULL);
	for (i = 0; (pass = secret_try(s, i)) != NULL; i++) {
		if (!p12_kdf_check(alg, w))
			return 0;
		info = PKCS8_decrypt(sig, pass, (int)strlen(pass));
		if (info != NULL)
			break;
	}
	ERR_clear_error();
	if (info == NULL)
		return why_set(w, "password",
		    "encrypted private key does not "
		    "open (wrong password or damaged file)");
	secret_worked(s, i);
	n = i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
	if (n <= 0 || (p8 = q = OPENSSL_secure_malloc((size_t)n)) == NULL)
		tool_nomem();
	(void)i2d_PKCS8_PRIV_KEY_INFO(info, &q);
	PKCS8_PRIV_KEY_INFO_free(info);
	items_add_key(l, p8, (size_t)n, NULL, 0);
	OPENSSL_secure_clear_free(p8, (size_t)n);
	return 1;
}

/* Certificates of a PKCS#7 or CMS SignedData (RFC 5652 section 5.1). */
static int
read_p7(const uint8_t *p, size_t n, struct items *l)
{
	const uint8_t *q = p;
	PKCS7 *p7 = d2i_PKCS7(NULL, &q, (long)n);
	STACK_OF(X509) *certs = NULL;
	uint8_t *der;
	int i, len;

	if (p7 != NULL && q == p + n && PKCS7_type_is_signed(p7) &&
	    p7->d.sign != NULL)
		certs = p7->d.sign->cert;
	for (i = 0; i < sk_X509_num(certs); i++) {
		der = NULL;
		len = i2d_X509(sk_X509_value(certs, i), &der);
		if (len > 0)
			items_add_cert(l, der, (size_t)len, NULL, 0);
		OPENSSL_free(der);
	}
	PKCS7_free(p7);
	ERR_clear_error();
	return l->n > 0;
}

/* One DER object, whichever it is. */
static int
read_der(const uint8_t *p, size_t n, struct secrets *s, struct items *l,
    struct why *w)
{
	PKCS8_PRIV_KEY_INFO *info;
	struct cert *c;
	const uint8_t *q;
	uint8_t *p8;
	X509_SIG *sig;
	size_t len;
	int rc;

	if (p12_is(p, n))
		return p12_read(p, n, s, l, w);
	if (cert_new(&c, p, n, w)) {
		cert_free(c);
		items_add_cert(l, p, n, NULL, 0);
		return 1;
	}
	q = p;
	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &q, (long)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	if (info != NULL && q == p + n) {
		items_add_key(l, p, n, NULL, 0);
		return 1;
	}
	q = p;
	sig = d2i_X509_SIG(NULL, &q, (long)n);
	if (sig != NULL && q == p + n) {
		rc = read_encrypted(sig, s, l, w);
		X509_SIG_free(sig);
		return rc;
	}
	X509_SIG_free(sig);
	if ((p8 = pkey_traditional(p, n, &len)) != NULL) {
		items_add_key(l, p8, len, NULL, 0);
		OPENSSL_secure_clear_free(p8, len);
		return 1;
	}
	if (read_p7(p, n, l))
		return 1;
	return why_set(w, "format", "DER of an unknown kind, or damaged");
}

/* Gives one password to PEM_do_header(). */
static int
give(char *buf, int size, int rw, void *pass)
{
	int n = (int)strlen(pass);

	(void)rw;
	if (n > size)
		return -1;
	memcpy(buf, pass, (size_t)n);
	return n;
}

/* A key under DEK-Info (RFC 1421 section 4.6.1.3). */
static int
read_dek(char *header, const uint8_t *p, long n, struct secrets *s,
    struct items *l, struct why *w)
{
	EVP_CIPHER_INFO ci;
	const char *pass;
	uint8_t *copy, *p8 = NULL;
	size_t i, len;
	long clear;

	if (!PEM_get_EVP_CIPHER_INFO(header, &ci))
		return why_ssl(w, "unsupported", "PEM encryption");
	for (i = 0; p8 == NULL && (pass = secret_try(s, i)) != NULL; i++) {
		copy = secure_copy(p, (size_t)n);
		clear = n;
		if (PEM_do_header(&ci, copy, &clear, give, (void *)pass))
			p8 = pkey_traditional(copy, (size_t)clear, &len);
		OPENSSL_secure_clear_free(copy, (size_t)n);
		if (p8 != NULL)
			secret_worked(s, i);
	}
	ERR_clear_error();
	if (p8 == NULL)
		return why_set(w, "password",
		    "encrypted PEM key does not "
		    "open (wrong password or damaged file)");
	items_add_key(l, p8, len, NULL, 0);
	OPENSSL_secure_clear_free(p8, len);
	return 1;
}

/* Bytes of a certificate that OpenSSL's trust settings follow. */
static void
read_trusted(const uint8_t *p, long n, struct items *l)
{
	const uint8_t *q = p;
	X509 *x = d2i_X509_AUX(NULL, &q, n);
	uint8_t *der = NULL;
	int len = x == NULL ? 0 : i2d_X509(x, &der);

	items_add_cert(l, len > 0 ? der : p, (size_t)(len > 0 ? len : n), NULL,
	    0);
	OPENSSL_free(der);
	X509_free(x);
}

/* One PEM block.  What cannot be read becomes a fault. */
static void
read_block(const char *name, char *header, const uint8_t *p, long n,
    struct secrets *s, struct items *l)
{
	static const char *const noted[] = { "EC PARAMETERS", "DH PARAMETERS",
		"PUBLIC KEY", "RSA PUBLIC KEY", "X509 CRL",
		"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST" };
	struct items one = { NULL, 0 };
	struct why w;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
		if (strcmp(name, noted[i]) == 0)
			return;
	if (strcmp(name, "TRUSTED CERTIFICATE") == 0) {
		read_trusted(p, n, l);
		return;
	}
	if (strcmp(name, "CERTIFICATE") == 0 ||
	    strcmp(name, "X509 CERTIFICATE") == 0) {
		items_add_cert(l, p, (size_t)n, NULL, 0);
		return;
	}
	if (strstr(header, "ENCRYPTED") != NULL)
		rc = read_dek(header, p, n, s, l, &w);
	else
		rc = read_der(p, (size_t)n, s, &one, &w);
	if (!rc)
		items_add_fault(l, &w);
	for (i = 0; i < one.n; i++) {
		if (one.v[i].kind == ITEM_KEY)
			items_add_key(l, one.v[i].p8, one.v[i].p8len, NULL, 0);
		else if (one.v[i].kind == ITEM_CERT)
			items_add_cert(l, one.v[i].cert->der,
			    one.v[i].cert->len, NULL, 0);
		else
			items_add_fault(l, &one.v[i].why);
	}
	items_free(&one);
}

static int
read_pem(const uint8_t *p, size_t n, struct secrets *s, struct items *l,
    struct why *w)
{
	BIO *bio;
	char *name, *header;
	uint8_t *der;
	long len;
	unsigned long e;
	int blocks = 0;

	/* a tar of PEM files would lose the first block of each */
	while (n > 0 && p[n - 1] == '\0')
		n--;
	if (memchr(p, '\0', n) != NULL)
		return why_set(w, "format",
		    "binary data with PEM in it: take the PEM out");
	if ((bio = BIO_new_mem_buf(p, (int)n)) == NULL)
		tool_nomem();
	while (l->n <= ITEMS_MAX) {
		ERR_clear_error();
		tool_check_heap();
		if (PEM_read_bio_ex(bio, &name, &header, &der, &len,
			PEM_FLAG_SECURE)) {
			read_block(name, header, der, len, s, l);
			OPENSSL_secure_free(name);
			OPENSSL_secure_free(header);
			OPENSSL_secure_clear_free(der, (size_t)len);
			blocks++;
			continue;
		}
		e = ERR_peek_last_error();
		if (ERR_GET_REASON(e) == PEM_R_NO_START_LINE)
			break;
		why_ssl(w, "damaged",
		    "PEM block cannot be read (RFC 7468 "
		    "section 2)");
		items_add_fault(l, w);
		if (BIO_eof(bio))
			break;
	}
	BIO_free(bio);
	ERR_clear_error();
	if (blocks == 0 && l->n == 0)
		return why_set(w, "format", "no PEM block in it");
	return 1;
}

/* Plain records, such as p12-extract writes them. */
static int
read_records(const uint8_t *p, size_t n, struct items *l, struct why *w)
{
	struct rec_in *in = rec_in_mem(p, n);
	struct stream_in *st = in == NULL ? NULL :
					    stream_in_new(in, NULL, NULL, 0);
	enum stream_event ev;
	uint8_t *der;
	size_t len;

	if (st == NULL)
		tool_nomem();
	while ((ev = stream_next(st)) > STREAM_EOF) {
		if (ev == STREAM_HEAD) {
			ev = STREAM_BROKEN;
			why_set(&st->why, "format",
			    "a sealed stream: read it "
			    "with kms-verify or ca-import");
			break;
		}
		if (ev != STREAM_REC)
			continue;
		if (st->key != NULL)
			items_add_key(l, st->key, st->keylen, NULL, 0);
		if (rec_get0(&st->rec, "cert") == NULL)
			continue;
		if ((der = rec_b64(&st->rec, "cert", 0, &len)) == NULL) {
			ev = STREAM_BROKEN;
			why_set(&st->why, "record", "cert is not base64");
			break;
		}
		items_add_cert(l, der, len, NULL, 0);
		OPENSSL_free(der);
	}
	if (ev == STREAM_BROKEN)
		why_set(w, "damaged", "line %llu: %s", st->rec.lineno,
		    st->why.detail);
	stream_in_free(st);
	rec_in_free(in);
	return ev == STREAM_EOF;
}

/* An ESE database, such as kmsmdb.edb: what it is, and what to do. */
static int
name_ese(const uint8_t *p, size_t n, struct why *w)
{
	static const char *const states[] = { "unknown", "just created",
		"dirty shutdown", "clean shutdown", "being converted",
		"force detach" };
	unsigned state, page;

	if (n < 240)
		return why_set(w, "cut", "ESE database, cut in its header");
	state = p[52];
	page = p[236] | (unsigned)p[237] << 8 | (unsigned)p[238] << 16;
	return why_set(w, "unsupported",
	    "ESE database (version 0x%x revision "
	    "0x%x, page size %u, %s): how a KMS stores keys in it is not "
	    "public; export PFX per user on Windows and feed those in",
	    p[8] | (unsigned)p[9] << 8, p[232], page,
	    states[state < 6 ? state : 0]);
}

/* The kind of archive it is, or NULL. */
static const char *
archive_kind(const uint8_t *p, size_t n)
{
	static const struct {
		size_t at;
		const char *magic, *name;
	} all[] = {
		{ 0, "PK\3\4", "zip" },
		{ 0, "\x1f\x8b", "gzip" },
		{ 0, "\x1f\x9d", "compress" },
		{ 0, "BZh", "bzip2" },
		{ 0, "\3757zXZ", "xz" },
		{ 0, "\x28\xb5\x2f\xfd", "zstd" },
		{ 0, "7z\xbc\xaf\x27\x1c", "7z" },
		{ 0, "MSCF", "cab" },
		{ 0, "Rar!", "rar" },
		{ 0, "07070", "cpio" },
		{ 0, "!<arch>\n", "ar" },
		{ 257, "ustar", "tar" },
	};
	size_t i, len;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		len = strlen(all[i].magic);
		if (n >= all[i].at + len &&
		    memcmp(p + all[i].at, all[i].magic, len) == 0)
			return all[i].name;
	}
	return NULL;
}

int
member_read(const uint8_t *p, size_t n, struct secrets *s, struct items *l,
    struct why *w)
{
	const char *archive;
	int rc;

	p12_kdf_start();
	if (n == 0)
		return why_set(w, "empty", "empty file");
	if ((archive = archive_kind(p, n)) != NULL)
		rc = why_set(w, "unsupported",
		    "%s archive: unpack it and feed in what it holds", archive);
	else if (p[0] == 0x30)
		rc = read_der(p, n, s, l, w);
	else if (n > 8 && memcmp(p + 4, ESE_MAGIC, 4) == 0)
		rc = name_ese(p, n, w);
	else if (n > 4 && memcmp(p, "rec:", 4) == 0)
		rc = read_records(p, n, l, w);
	else if (epf_is(p, n))
		rc = epf_read(p, n, s, l, NULL, w);
	else if (memmem(p, n, "-----BEGIN ", 11) != NULL)
		rc = read_pem(p, n, s, l, w);
	else
		rc = why_set(w, "format",
		    "not a format that holds keys or "
		    "certificates");
	if (rc && l->n == 0)
		rc = why_set(w, "empty", "no key and no certificate in it");
	return rc;
}
