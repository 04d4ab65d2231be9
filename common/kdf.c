/* SHA1_Transform() and SHA256_Transform(): see kdf.h */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "kdf.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <string.h>

#include "tool.h"

#define BLOCK 64 /* bytes, of SHA-1 and SHA-256 alike */
#define WORDS 8

/* A hash, block by block. */
struct hash {
	void (*compress)(uint32_t h[], const uint8_t block[BLOCK]);
	uint32_t start[WORDS];
	size_t words;
};

static void
compress_sha1(uint32_t h[], const uint8_t block[BLOCK])
{
	SHA_CTX c;

	c.h0 = h[0];
	c.h1 = h[1];
	c.h2 = h[2];
	c.h3 = h[3];
	c.h4 = h[4];
	SHA1_Transform(&c, block);
	h[0] = c.h0;
	h[1] = c.h1;
	h[2] = c.h2;
	h[3] = c.h3;
	h[4] = c.h4;
}

static void
compress_sha256(uint32_t h[], const uint8_t block[BLOCK])
{
	SHA256_CTX c;

	memcpy(c.h, h, sizeof(c.h));
	SHA256_Transform(&c, block);
	memcpy(h, c.h, sizeof(c.h));
}

/* FIPS 180-4 sections 5.3.1 and 5.3.3. */
static const struct hash sha1 = { compress_sha1,
	{ 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }, 5 };
static const struct hash sha256 = { compress_sha256,
	{ 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
	    0x9b05688c, 0x1f83d9ab, 0x5be0cd19 },
	8 };

static const struct hash *
hash_of(const EVP_MD *md)
{
	switch (EVP_MD_get_type(md)) {
	case NID_sha1:
		return &sha1;
	case NID_sha256:
		return &sha256;
	default:
		return NULL;
	}
}

static void
put_words(uint8_t *dst, const uint32_t h[], size_t words)
{
	size_t i;

	for (i = 0; i < words; i++) {
		dst[4 * i] = (uint8_t)(h[i] >> 24);
		dst[4 * i + 1] = (uint8_t)(h[i] >> 16);
		dst[4 * i + 2] = (uint8_t)(h[i] >> 8);
		dst[4 * i + 3] = (uint8_t)h[i];
	}
}

/* The last block of a message that ends with one hash, bytes long in all. */
static void
last_block(uint8_t block[BLOCK], const struct hash *h, size_t bytes)
{
	memset(block, 0, BLOCK);
	block[4 * h->words] = 0x80;
	block[BLOCK - 2] = (uint8_t)(8 * bytes >> 8);
	block[BLOCK - 1] = (uint8_t)(8 * bytes);
}

/* PKCS#12 ----------------------------------------------------------------- */

/* Hashes the hash a again, so many times. */
static void
again(const struct hash *h, uint8_t *a, int64_t times)
{
	uint32_t state[WORDS];
	uint8_t block[BLOCK];

	last_block(block, h, 4 * h->words);
	memcpy(block, a, 4 * h->words);
	for (; times > 0; times--) {
		memcpy(state, h->start, sizeof(state));
		h->compress(state, block);
		put_words(block, state, h->words);
	}
	memcpy(a, block, 4 * h->words);
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(state, sizeof(state));
}

/* s over and over, up to a multiple of a block.  Returns its length. */
static size_t
repeat(uint8_t *dst, const uint8_t *s, size_t n)
{
	size_t i, len = (n + BLOCK - 1) / BLOCK * BLOCK;

	for (i = 0; i < len; i++)
		dst[i] = s[i % n];
	return len;
}

/* Adds b, size bytes over and over, and 1 to a block: step 6 C. */
static void
add_block(uint8_t block[BLOCK], const uint8_t *b, size_t size)
{
	unsigned carry = 1;
	size_t i;

	for (i = BLOCK; i-- > 0; carry >>= 8) {
		carry += block[i] + (unsigned)b[i % size];
		block[i] = (uint8_t)carry;
	}
}

int
kdf_pkcs12(const struct kdf_in *in, int id, uint8_t *out, size_t n)
{
	const struct hash *h = hash_of(in->md);
	size_t size, len, i, part, room;
	uint8_t a[EVP_MAX_MD_SIZE], *d;
	int ok = 1;

	if (h == NULL)
		return PKCS12_key_gen_uni((uint8_t *)in->pass, (int)in->npass,
		    (uint8_t *)in->salt, (int)in->nsalt, id, (int)in->rounds,
		    (int)n, out, in->md);
	size = 4 * h->words;
	room = 3 * BLOCK + in->nsalt + in->npass;
	if ((d = OPENSSL_malloc(room)) == NULL)
		tool_nomem();
	memset(d, id, BLOCK);
	len = BLOCK + repeat(d + BLOCK, in->salt, in->nsalt);
	len += repeat(d + len, in->pass, in->npass);
	for (; ok && n > 0; out += part, n -= part) {
		ok = EVP_Digest(d, len, a, NULL, in->md, NULL);
		again(h, a, in->rounds - 1);
		part = n < size ? n : size;
		memcpy(out, a, part);
		for (i = BLOCK; i < len; i += BLOCK)
			add_block(d + i, a, size);
	}
	OPENSSL_clear_free(d, room);
	OPENSSL_cleanse(a, sizeof(a));
	return ok;
}

/* PBKDF2 ------------------------------------------------------------------ */

/* HMAC (RFC 2104) after the block of its key. */
struct keyed {
	uint32_t inner[WORDS], outer[WORDS];
};

/* The password as the key of HMAC.  Returns 1, or 0. */
static int
key_up(struct keyed *k, const struct hash *h, const struct kdf_in *in)
{
	uint8_t key[BLOCK] = { 0 };
	size_t i;
	int ok = 1;

	if (in->npass > BLOCK)
		ok = EVP_Digest(in->pass, in->npass, key, NULL, in->md, NULL);
	else if (in->npass > 0)
		memcpy(key, in->pass, in->npass);
	for (i = 0; i < BLOCK; i++)
		key[i] ^= 0x36;
	memcpy(k->inner, h->start, sizeof(k->inner));
	h->compress(k->inner, key);
	for (i = 0; i < BLOCK; i++)
		key[i] ^= 0x36 ^ 0x5c;
	memcpy(k->outer, h->start, sizeof(k->outer));
	h->compress(k->outer, key);
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

/* Block number i of the output: u is U_1, and then the exclusive or of all. */
static void
mix(const struct keyed *k, const struct hash *h, uint8_t *u, int64_t rounds)
{
	uint32_t state[WORDS];
	uint8_t block[BLOCK];
	size_t i, size = 4 * h->words;

	last_block(block, h, BLOCK + size);
	memcpy(block, u, size);
	while (--rounds > 0) {
		memcpy(state, k->inner, sizeof(state));
		h->compress(state, block);
		put_words(block, state, h->words);
		memcpy(state, k->outer, sizeof(state));
		h->compress(state, block);
		put_words(block, state, h->words);
		for (i = 0; i < size; i++)
			u[i] ^= block[i];
	}
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(state, sizeof(state));
}

int
kdf_pbkdf2(const struct kdf_in *in, uint8_t *out, size_t n)
{
	const struct hash *h = hash_of(in->md);
	uint8_t u[EVP_MAX_MD_SIZE], *salt;
	size_t part, size;
	struct keyed k;
	uint32_t i;
	int ok;

	if (h == NULL)
		return PKCS5_PBKDF2_HMAC((const char *)in->pass, (int)in->npass,
		    in->salt, (int)in->nsalt, (int)in->rounds, in->md, (int)n,
		    out);
	size = 4 * h->words;
	if ((salt = OPENSSL_malloc(in->nsalt + 4)) == NULL)
		tool_nomem();
	if (in->nsalt > 0)
		memcpy(salt, in->salt, in->nsalt);
	ok = key_up(&k, h, in);
	for (i = 1; ok && n > 0; i++, out += part, n -= part) {
		put_words(salt + in->nsalt, &i, 1);
		ok = HMAC(in->md,
			 in->npass == 0 ? (const uint8_t *)"" : in->pass,
			 (int)in->npass, salt, in->nsalt + 4, u, NULL) != NULL;
		mix(&k, h, u, in->rounds);
		part = n < size ? n : size;
		memcpy(out, u, part);
	}
	OPENSSL_cleanse(&k, sizeof(k));
	OPENSSL_cleanse(u, sizeof(u));
	OPENSSL_free(salt);
	return ok;
}
