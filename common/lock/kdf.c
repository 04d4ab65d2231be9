/* SHA1_Transform() and SHA256_Transform(): see lock/kdf.h */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "lock/kdf.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/heap.h"

#define BLOCK 64 /* bytes, of SHA-1 and SHA-256 alike */
#define WORDS 8
#define LANES 3 /* derivations side by side: more gains nothing */

/* A derivation on its way: a block that is hashed again and again. */
struct chain {
	const struct kdf *k;
	const struct hash *h;
	void (*round)(struct chain *);
	int64_t left; /* rounds, for the part of the output at hand */
	size_t done; /* bytes of the output */
	_Alignas(BLOCK) uint8_t block[BLOCK]; /* no load of two cache lines */
	union {
		SHA_CTX sha1;
		SHA256_CTX sha256;
	} ctx; /* of a round */
	/* PKCS#12: what is hashed first, len bytes */
	uint8_t *d;
	size_t len;
	/* PBKDF2: HMAC (RFC 2104) after the block of its key; U_1 ^ U_2 ... */
	uint32_t inner[WORDS], outer[WORDS], sum[WORDS];
	uint32_t part; /* number of it */
};

/* A hash, block by block. */
struct hash {
	const uint32_t *start;
	size_t words;
	void (*compress)(struct chain *, const uint32_t start[],
	    uint8_t block[BLOCK]);
	void (*again)(struct chain *); /* a round of PKCS#12 */
	void (*mix)(struct chain *); /* of PBKDF2 */
};

/* Rounds ------------------------------------------------------------------ */

/*
 * Four words of a hash, big-endian.  They are stored at once: the next round
 * loads them as one, and would wait for pieces.  They are made in general
 * registers: the units for vectors are busy with the hashes side by side.
 */
typedef uint64_t quad __attribute__((vector_size(16)));

/* Two words of a context, with the other order of bytes. */
static inline uint64_t
swap(const void *context, size_t at)
{
	uint64_t two;

	memcpy(&two, (const uint8_t *)context + at, sizeof(two));
	two = htobe64(two);
	return htobe32(1) == 1 ? two : two << 32 | two >> 32;
}

static inline void
store(uint8_t *dst, uint64_t a, uint64_t b)
{
	quad v = { a, b };

	memcpy(dst, &v, sizeof(v));
}

/* FIPS 180-4 sections 5.3.1 and 5.3.3. */
static const uint32_t start_sha1[WORDS] = { 0x67452301, 0xefcdab89, 0x98badcfe,
	0x10325476, 0xc3d2e1f0 };
static const uint32_t start_sha256[WORDS] = { 0x6a09e667, 0xbb67ae85,
	0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
	0x5be0cd19 };

/*
 * Hashes a block behind what start is the hash of; the hash takes the place of
 * the first bytes of the block, and of SHA-1 the first byte of padding, and
 * zeros, that of the rest of 32.
 */
static inline void
compress_sha1(struct chain *chain, const uint32_t start[], uint8_t block[BLOCK])
{
	SHA_CTX *c = &chain->ctx.sha1;

	/* as it is, h0 to h4 first: word by word takes half as long again */
	memcpy(c, start, 5 * sizeof(*start));
	SHA1_Transform(c, block);
	store(block, swap(c, 0), swap(c, 8));
	store(block + 16, htobe64((uint64_t)c->h4 << 32 | 0x80000000), 0);
}

static inline void
compress_sha256(struct chain *chain, const uint32_t start[],
    uint8_t block[BLOCK])
{
	SHA256_CTX *c = &chain->ctx.sha256;

	memcpy(c->h, start, sizeof(c->h));
	SHA256_Transform(c, block);
	store(block, swap(c->h, 0), swap(c->h, 8));
	store(block + 16, swap(c->h, 16), swap(c->h, 24));
}

static void
again_sha1(struct chain *c)
{
	compress_sha1(c, start_sha1, c->block);
}

static void
again_sha256(struct chain *c)
{
	compress_sha256(c, start_sha256, c->block);
}

/* Words of what is longer than the hash do no harm. */
static inline void
add_sum(struct chain *c)
{
	uint32_t u[WORDS];
	size_t i;

	memcpy(u, c->block, sizeof(u));
	for (i = 0; i < WORDS; i++)
		c->sum[i] ^= u[i];
}

static void
mix_sha1(struct chain *c)
{
	compress_sha1(c, c->inner, c->block);
	compress_sha1(c, c->outer, c->block);
	add_sum(c);
}

static void
mix_sha256(struct chain *c)
{
	compress_sha256(c, c->inner, c->block);
	compress_sha256(c, c->outer, c->block);
	add_sum(c);
}

static const struct hash sha1 = { start_sha1, 5, compress_sha1, again_sha1,
	mix_sha1 };
static const struct hash sha256 = { start_sha256, 8, compress_sha256,
	again_sha256, mix_sha256 };

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

/* Makes the block the last one of a message of so many bytes, a hash in it. */
static void
last_block(struct chain *c, size_t bytes)
{
	size_t size = 4 * c->h->words;

	memset(c->block + size, 0, BLOCK - size);
	c->block[size] = 0x80;
	c->block[BLOCK - 2] = (uint8_t)(8 * bytes >> 8);
	c->block[BLOCK - 1] = (uint8_t)(8 * bytes);
}

/* PKCS#12 ----------------------------------------------------------------- */

/* s over and over, up to a multiple of a block.  Returns its length. */
static size_t
repeat(uint8_t *dst, const uint8_t *s, size_t n)
{
	size_t i, len = (n + BLOCK - 1) / BLOCK * BLOCK;

	for (i = 0; i < len; i++)
		dst[i] = s[i % n];
	return len;
}

/* D, S and P of RFC 7292 appendix B.2. */
static void
pkcs12_start(struct chain *c)
{
	const struct kdf *k = c->k;

	if ((c->d = OPENSSL_malloc(3 * BLOCK + k->nsalt + k->npass)) == NULL)
		heap_nomem();
	memset(c->d, k->id, BLOCK);
	c->len = BLOCK + repeat(c->d + BLOCK, k->salt, k->nsalt);
	c->len += repeat(c->d + c->len, k->pass, k->npass);
	c->round = c->h->again;
}

/* The first round for the next part.  Returns 1, or 0. */
static int
pkcs12_first(struct chain *c)
{
	int ok = EVP_Digest(c->d, c->len, c->block, NULL, c->k->md, NULL);

	last_block(c, 4 * c->h->words);
	return ok;
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

/* PBKDF2 ------------------------------------------------------------------ */

/* The hash of a block of HMAC's key, each byte changed by x. */
static void
key_block(struct chain *c, const uint8_t key[BLOCK], uint8_t x,
    uint32_t out[WORDS])
{
	uint8_t block[BLOCK];
	size_t i;

	for (i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ x;
	c->h->compress(c, c->h->start, block);
	memcpy(out, block, sizeof(uint32_t) * WORDS);
	for (i = 0; i < WORDS; i++)
		out[i] = be32toh(out[i]);
	OPENSSL_cleanse(block, sizeof(block));
}

/* The password as the key of HMAC.  Returns 1, or 0. */
static int
pbkdf2_start(struct chain *c)
{
	const struct kdf *k = c->k;
	uint8_t key[BLOCK] = { 0 };
	int ok = 1;

	if (k->npass > BLOCK)
		ok = EVP_Digest(k->pass, k->npass, key, NULL, k->md, NULL);
	else if (k->npass > 0)
		memcpy(key, k->pass, k->npass);
	key_block(c, key, 0x36, c->inner);
	key_block(c, key, 0x5c, c->outer);
	OPENSSL_cleanse(key, sizeof(key));
	c->round = c->h->mix;
	return ok;
}

/* U_1 of the next part.  Returns 1, or 0. */
static int
pbkdf2_first(struct chain *c)
{
	const struct kdf *k = c->k;
	uint8_t *salt = OPENSSL_malloc(k->nsalt + 4);
	uint32_t part = htobe32(++c->part);
	int ok;

	if (salt == NULL)
		heap_nomem();
	if (k->nsalt > 0)
		memcpy(salt, k->salt, k->nsalt);
	memcpy(salt + k->nsalt, &part, 4);
	ok = HMAC(k->md, k->npass == 0 ? (const uint8_t *)"" : k->pass,
		 (int)k->npass, salt, k->nsalt + 4, c->block, NULL) != NULL;
	OPENSSL_free(salt);
	memcpy(c->sum, c->block, sizeof(c->sum));
	last_block(c, BLOCK + 4 * c->h->words);
	return ok;
}

/* Side by side ------------------------------------------------------------ */

/* OpenSSL's own, from end to end. */
static int
openssl(const struct kdf *k)
{
	if (k->id != 0)
		return PKCS12_key_gen_uni((uint8_t *)k->pass, (int)k->npass,
		    (uint8_t *)k->salt, (int)k->nsalt, k->id, (int)k->rounds,
		    (int)k->n, k->out, k->md);
	return PKCS5_PBKDF2_HMAC((const char *)k->pass, (int)k->npass, k->salt,
	    (int)k->nsalt, (int)k->rounds, k->md, (int)k->n, k->out);
}

/* Starts the next part of the output.  Returns 1, or 0. */
static int
first(struct chain *c)
{
	c->left = c->k->rounds - 1;
	return c->k->id != 0 ? pkcs12_first(c) : pbkdf2_first(c);
}

static int
start(struct chain *c, const struct kdf *k)
{
	memset(c, 0, sizeof(*c));
	c->k = k;
	c->h = hash_of(k->md);
	if (k->id != 0)
		pkcs12_start(c);
	else if (!pbkdf2_start(c))
		return 0;
	return first(c);
}

/* Puts the part of the output that is ready.  Returns 1 if it was the last. */
static int
put(struct chain *c)
{
	const struct kdf *k = c->k;
	size_t size = 4 * c->h->words, i;
	size_t part = k->n - c->done < size ? k->n - c->done : size;

	memcpy(k->out + c->done, k->id != 0 ? c->block : (uint8_t *)c->sum,
	    part);
	c->done += part;
	for (i = BLOCK; i < c->len; i += BLOCK)
		add_block(c->d + i, c->block, size);
	return c->done == k->n;
}

static int
all_do(const struct chain lane[LANES], void (*round)(struct chain *))
{
	size_t i;

	for (i = 0; i < LANES && lane[i].round == round; i++)
		continue;
	return i == LANES;
}

/* Does as many rounds of all as the one that needs the fewest. */
static void
run(struct chain *lane, size_t n)
{
	int64_t rounds = lane[0].left, k;
	size_t i;

	for (i = 1; i < n; i++)
		if (lane[i].left < rounds)
			rounds = lane[i].left;
	if (n == LANES && all_do(lane, again_sha1))
		/* most of them: in line, there is room for more at once */
		for (k = 0; k < rounds; k++)
			for (i = 0; i < LANES; i++)
				again_sha1(&lane[i]);
	else
		for (k = 0; k < rounds; k++)
			for (i = 0; i < n; i++)
				lane[i].round(&lane[i]);
	for (i = 0; i < n; i++)
		lane[i].left -= rounds;
}

int
kdf_derive(const struct kdf *k, size_t count)
{
	struct chain lane[LANES];
	size_t n = 0, i;
	int ok = 1;

	while (ok && (count > 0 || n > 0)) {
		for (; ok && count > 0 && n < LANES; k++, count--)
			if (hash_of(k->md) == NULL)
				ok = openssl(k);
			else
				ok = start(&lane[n++], k);
		if (ok && n > 0)
			run(lane, n);
		for (i = n; ok && i-- > 0;) {
			if (lane[i].left > 0)
				continue;
			if (!put(&lane[i])) {
				ok = first(&lane[i]);
				continue;
			}
			OPENSSL_clear_free(lane[i].d, lane[i].len);
			lane[i] = lane[--n];
		}
	}
	for (; n > 0; n--)
		OPENSSL_clear_free(lane[n - 1].d, lane[n - 1].len);
	OPENSSL_cleanse(lane, sizeof(lane));
	return ok;
}
