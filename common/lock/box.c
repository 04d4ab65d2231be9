#include "lock/box.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/heap.h"
#include "base/reason.h"

#define NONCE 12

struct box {
	EVP_CIPHER_CTX *enc, *dec; /* keyed once, a new nonce each time */
	uint8_t id[BOX_ID];
};

struct box *
box_new(const uint8_t key[BOX_KEY], const uint8_t id[BOX_ID])
{
	struct box *b = OPENSSL_zalloc(sizeof(*b));

	if (b == NULL)
		return NULL;
	memcpy(b->id, id, BOX_ID);
	b->enc = EVP_CIPHER_CTX_new();
	b->dec = EVP_CIPHER_CTX_new();
	if (b->enc != NULL && b->dec != NULL &&
	    EVP_EncryptInit_ex(b->enc, EVP_aes_256_gcm(), NULL, key, NULL) &&
	    EVP_DecryptInit_ex(b->dec, EVP_aes_256_gcm(), NULL, key, NULL))
		return b;
	box_free(b);
	return NULL;
}

struct box *
box_random(void)
{
	uint8_t key[BOX_KEY], id[BOX_ID];
	struct box *b;

	if (RAND_priv_bytes(key, BOX_KEY) != 1 || RAND_bytes(id, BOX_ID) != 1 ||
	    (b = box_new(key, id)) == NULL)
		heap_nomem();
	OPENSSL_cleanse(key, sizeof(key));
	return b;
}

void
box_free(struct box *b)
{
	if (b == NULL)
		return;
	EVP_CIPHER_CTX_free(b->enc);
	EVP_CIPHER_CTX_free(b->dec);
	OPENSSL_free(b);
}

/* Writes num as 96 bits, most significant byte first. */
static void
nonce(uint8_t iv[NONCE], unsigned long long num)
{
	int i;

	for (i = NONCE - 1; i >= 0; i--, num >>= 8)
		iv[i] = (uint8_t)num;
}

int
box_close(struct box *b, unsigned long long num, const char *aad, size_t aadlen,
    const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t iv[NONCE];
	int len;

	nonce(iv, num);
	return EVP_EncryptInit_ex(b->enc, NULL, NULL, NULL, iv) &&
	    EVP_EncryptUpdate(b->enc, NULL, &len, b->id, BOX_ID) &&
	    EVP_EncryptUpdate(b->enc, NULL, &len, (const uint8_t *)aad,
		(int)aadlen) &&
	    EVP_EncryptUpdate(b->enc, out, &len, in, (int)n) &&
	    EVP_EncryptFinal_ex(b->enc, out + n, &len) &&
	    EVP_CIPHER_CTX_ctrl(b->enc, EVP_CTRL_AEAD_GET_TAG, BOX_TAG,
		out + n);
}

int
box_open(struct box *b, unsigned long long num, const char *aad, size_t aadlen,
    const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t iv[NONCE], tag[BOX_TAG], none;
	int len, rc;

	if (n < BOX_TAG)
		return 0;
	n -= BOX_TAG;
	memcpy(tag, in + n, BOX_TAG);
	nonce(iv, num);
	rc = EVP_DecryptInit_ex(b->dec, NULL, NULL, NULL, iv) &&
	    EVP_DecryptUpdate(b->dec, NULL, &len, b->id, BOX_ID) &&
	    EVP_DecryptUpdate(b->dec, NULL, &len, (const uint8_t *)aad,
		(int)aadlen) &&
	    EVP_DecryptUpdate(b->dec, out, &len, in, (int)n) &&
	    EVP_CIPHER_CTX_ctrl(b->dec, EVP_CTRL_AEAD_SET_TAG, BOX_TAG, tag) &&
	    EVP_DecryptFinal_ex(b->dec, &none, &len);
	if (!rc && n > 0)
		OPENSSL_cleanse(out, n);
	reason_clear();
	return rc;
}
