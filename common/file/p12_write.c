#include "file/p12_write.h"

#include <openssl/err.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/text.h"

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
p12_write_init(struct p12_write *p, const char *pass, int legacy)
{
	memset(p, 0, sizeof(*p));
	p->pass = pass;
	p->legacy = legacy;
	p->keys = sk_PKCS12_SAFEBAG_new_null();
	p->certs = sk_PKCS12_SAFEBAG_new_null();
	return p->keys != NULL && p->certs != NULL;
}

void
p12_write_free(struct p12_write *p)
{
	sk_PKCS12_SAFEBAG_pop_free(p->keys, PKCS12_SAFEBAG_free);
	sk_PKCS12_SAFEBAG_pop_free(p->certs, PKCS12_SAFEBAG_free);
	tdestroy(p->names, free);
}

static int
p12_write_pbe(const struct p12_write *p)
{
	return p->legacy ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC :
			   NID_aes_256_cbc;
}

static int
p12_write_rounds(const struct p12_write *p)
{
	return p->legacy ? P12_WRITE_ROUNDS_OLD : P12_WRITE_ROUNDS;
}

/* Makes a friendlyName that nothing else in the file has. */
static void
p12_write_make_name(struct p12_write *p, const struct cert *c, const char *name,
    size_t n, char dst[600])
{
	char safe[512], sha1[41], *copy;

	(void)snprintf(dst, 600, "%s", text_vis(safe, sizeof(safe), name, n));
	if (tfind(dst, &p->names, by_text) != NULL)
		(void)snprintf(dst, 600, "%s %.10s %.8s", safe, c->not_after,
		    encode_hex(sha1, c->sha1, sizeof(c->sha1)));
	if ((copy = strdup(dst)) == NULL ||
	    tsearch(copy, &p->names, by_text) == NULL)
		heap_nomem();
}

/* Adds the name, if a BMPString can hold it: no key is lost for a name. */
static void
p12_write_add_name(PKCS12_SAFEBAG *bag, const char *name)
{
	if (*name != '\0' &&
	    !PKCS12_add_friendlyname_utf8(bag, name, (int)strlen(name)))
		reason_clear();
}

/* Adds localKeyID, which joins key and certificate. */
static int
p12_write_add_id(PKCS12_SAFEBAG *bag, const struct cert *c)
{
	uint8_t id[20];

	memcpy(id, c->sha1, sizeof(id));
	return PKCS12_add_localkeyid(bag, id, sizeof(id));
}

static PKCS12_SAFEBAG *
p12_write_key_bag(const struct p12_write *p, const uint8_t *p8, size_t n)
{
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p8, (long)n);
	PKCS12_SAFEBAG *bag;

	if (info == NULL)
		return NULL;
	bag = PKCS12_SAFEBAG_create_pkcs8_encrypt(p12_write_pbe(p), p->pass, -1,
	    NULL, 0, p12_write_rounds(p), info);
	PKCS8_PRIV_KEY_INFO_free(info);
	return bag;
}

int
p12_write_add(struct p12_write *p, const struct cert *c, const uint8_t *p8,
    size_t n, const char *name, size_t namelen, struct reason *w)
{
	X509 *x = cert_x509(c);
	PKCS12_SAFEBAG *cert = NULL, *key = NULL;
	char unique[600];
	int rc;

	if (x != NULL)
		cert = PKCS12_SAFEBAG_create_cert(x);
	rc = cert != NULL &&
	    (p8 == NULL ||
		((key = p12_write_key_bag(p, p8, n)) != NULL &&
		    p12_write_add_id(key, c) && p12_write_add_id(cert, c))) &&
	    sk_PKCS12_SAFEBAG_push(p->certs, cert) > 0;
	if (rc && p8 != NULL && sk_PKCS12_SAFEBAG_push(p->keys, key) <= 0) {
		(void)sk_PKCS12_SAFEBAG_pop(p->certs);
		rc = 0;
	}
	X509_free(x);
	if (!rc) {
		PKCS12_SAFEBAG_free(cert);
		PKCS12_SAFEBAG_free(key);
		return reason_ssl(w, "pack", "cannot pack the record");
	}
	p12_write_make_name(p, c, name, namelen, unique);
	p12_write_add_name(cert, unique);
	if (key != NULL)
		p12_write_add_name(key, unique);
	return 1;
}

int
p12_write_der(struct p12_write *p, uint8_t **der, size_t *len, struct reason *w)
{
	STACK_OF(PKCS7) *safes = NULL;
	PKCS12 *p12 = NULL;
	int size = -1;

	*der = NULL;
	if (PKCS12_add_safe(&safes, p->certs, p12_write_pbe(p),
		p12_write_rounds(p), p->pass) &&
	    PKCS12_add_safe(&safes, p->keys, -1, 0, NULL) &&
	    (p12 = PKCS12_add_safes(safes, 0)) != NULL &&
	    PKCS12_set_mac(p12, p->pass, -1, NULL, 0, p12_write_rounds(p),
		p->legacy ? EVP_sha1() : EVP_sha256()))
		size = i2d_PKCS12(p12, der);
	PKCS12_free(p12);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	if (size <= 0)
		return reason_ssl(w, "pack", "cannot make the PKCS#12");
	*len = (size_t)size;
	return 1;
}
