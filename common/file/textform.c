#include "file/textform.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/heap.h"

static uint8_t *
textform_buffer(size_t n)
{
	uint8_t *p = OPENSSL_malloc(n);

	if (p == NULL)
		heap_nomem();
	return p;
}

uint8_t *
textform_utf16(const uint8_t *p, size_t n, size_t *len)
{
	size_t i, low;
	uint8_t *out;

	if (n <= 4 ||
	    (memcmp(p, "\xff\xfe", 2) != 0 && memcmp(p, "\xfe\xff", 2) != 0))
		return NULL;
	low = p[0] == 0xff ? 0 : 1;
	*len = n / 2 - 1;
	out = textform_buffer(*len);
	for (i = 0; i < *len; i++) {
		if (p[2 * i + 3 - low] != 0) {
			OPENSSL_clear_free(out, *len);
			return NULL;
		}
		out[i] = p[2 * i + 2 + low];
	}
	return out;
}

uint8_t *
textform_base64(const uint8_t *p, size_t n, size_t *len)
{
	EVP_ENCODE_CTX *ctx = EVP_ENCODE_CTX_new();
	uint8_t *der = textform_buffer(n + 1), *all;
	int head = 0, last = 0, ok;

	if (ctx == NULL)
		heap_nomem();
	EVP_DecodeInit(ctx);
	ok = EVP_DecodeUpdate(ctx, der, &head, p, (int)n) >= 0 &&
	    EVP_DecodeFinal(ctx, der + head, &last) == 1 && head > 0 &&
	    der[0] == 0x30;
	EVP_ENCODE_CTX_free(ctx);
	*len = (size_t)(head + last);
	if (ok) {
		all = textform_buffer(*len);
		memcpy(all, der, *len);
	}
	OPENSSL_clear_free(der, n + 1);
	return ok ? all : NULL;
}
