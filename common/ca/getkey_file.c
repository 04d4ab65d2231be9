#include "ca/getkey_file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/heap.h"
#include "base/reason.h"

/* Makes bytes of Windows' text, without the mark in front. */
static size_t
narrow(uint8_t *p, size_t n)
{
	size_t i;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		memmove(p, p + 3, n - 3);
		return n - 3;
	}
	if (n < 2 || memcmp(p, "\xff\xfe", 2) != 0)
		return n;
	for (i = 0; 2 * i + 3 < n; i++)
		p[i] = p[2 * i + 3] == 0 ? p[2 * i + 2] : 0;
	return i;
}

/* Returns the DER of base64 in lines; NULL if there is anything else. */
static uint8_t *
base64(const uint8_t *p, size_t n, size_t *len)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	uint8_t *der = OPENSSL_malloc(n);
	int some = 0, rest = 0, ok;

	if (ctx == NULL || der == NULL)
		heap_nomem();
	EVP_DecodeInit(ctx);
	ok = EVP_DecodeUpdate(ctx, der, &some, p, (int)n) != -1 &&
	    EVP_DecodeFinal(ctx, der + some, &rest) != -1 && some + rest > 0;
	EVP_ENCODE_CTX_free(ctx);
	*len = (size_t)(some + rest);
	if (ok)
		return der;
	OPENSSL_free(der);
	return NULL;
}

int
getkey_file_each(uint8_t *p, size_t n,
    void (*each)(void *arg, const uint8_t *der, size_t len), void *arg)
{
	char *name, *header;
	uint8_t *der;
	int blocks = 0, rc = 1;
	long size;
	size_t len;
	BIO *bio;

	n = narrow(p, n);
	if ((bio = BIO_new_mem_buf(p, (int)n)) == NULL)
		heap_nomem();
	while (n > 0 && p[0] != 0x30 &&
	    PEM_read_bio(bio, &name, &header, &der, &size)) {
		blocks++;
		each(arg, der, (size_t)size);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	if (blocks > 0) {
		if (ERR_GET_REASON(ERR_peek_last_error()) !=
		    PEM_R_NO_START_LINE)
			rc = -(blocks + 1);
	} else if (n > 0 && p[0] != 0x30 &&
	    (der = base64(p, n, &len)) != NULL) {
		each(arg, der, len);
		OPENSSL_free(der);
	} else
		each(arg, p, n);
	reason_clear();
	BIO_free(bio);
	return rc;
}
