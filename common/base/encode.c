#include "base/encode.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

char *
encode_hex(char *dst, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < n; i++) {
		dst[2 * i] = digit[p[i] >> 4];
		dst[2 * i + 1] = digit[p[i] & 15];
	}
	dst[2 * n] = '\0';
	return dst;
}

size_t
encode_b64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

int
encode_b64_decode(uint8_t *dst, size_t *n, const char *s, size_t slen)
{
	size_t pad = 0, full;
	uint8_t last[3];
	char again[5];

	if (slen % 4 != 0 || slen > INT_MAX)
		return 0;
	*n = 0;
	if (slen == 0)
		return 1;
	while (pad < 2 && s[slen - pad - 1] == '=')
		pad++;
	full = slen - 4;
	/*
	 * EVP_DecodeBlock() takes '=' anywhere; what else it skips makes what
	 * it gives shorter.
	 */
	if (memchr(s, '=', full) != NULL)
		return 0;
	if (full > 0 &&
	    EVP_DecodeBlock(dst, (const unsigned char *)s, (int)full) !=
		(int)(full / 4 * 3))
		return 0;
	if (EVP_DecodeBlock(last, (const unsigned char *)s + full, 4) != 3)
		return 0;
	/* bits behind the data must be zero, so that one text has one form */
	(void)EVP_EncodeBlock((unsigned char *)again, last, (int)(3 - pad));
	if (memcmp(again, s + full, 4) != 0)
		return 0;
	memcpy(dst + full / 4 * 3, last, 3 - pad);
	OPENSSL_cleanse(last, sizeof(last));
	OPENSSL_cleanse(again, sizeof(again));
	*n = full / 4 * 3 + 3 - pad;
	return 1;
}

char *
encode_time(char dst[24], const struct tm *tm)
{
	(void)strftime(dst, 24, "%Y-%m-%dT%H:%M:%SZ", tm);
	return dst;
}

char *
encode_now(char dst[24])
{
	time_t t = time(NULL);

	return encode_time(dst, gmtime(&t));
}
