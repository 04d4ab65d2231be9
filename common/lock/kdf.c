/* SHA1_Transform() and SHA256_Transform(): see lock/kdf.h */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "lock/kdf.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/heap.h"
#include "lock/lanes.h"

#define BLOCK 64 /* bytes, of SHA-1 and SHA-256 alike */
#define WORDS LANES_WORDS
#define TURNS \
	3 /* chains in turn where there are no lanes: more gains nothing */
#define WAYS 3 /* OpenSSL's, and those of lanes_way() */

/* A derivation in progress: a block that is hashed again and again. */
struct chain {
	const struct kdf *k;
	const struct hash *h;
	int64_t left; /* steps, for the part of the output at hand */
	size_t done; /* bytes of the output */
	_Alignas(BLOCK) uint8_t block[BLOCK]; /* no load of two cache lines */
	union {
		SHA_CTX sha1;
		SHA256_CTX sha256;
	} ctx; /* of a step */
	/*
	 * What the block is hashed behind, in turn, [0] by the next step: the
	 * start of the hash or, for HMAC (RFC 2104), the blocks of its key.
	 */
	uint32_t before[2][WORDS];
	int adds[2]; /* PBKDF2: the hash of that step is a U of the sum */
	uint32_t sum[WORDS]; /* U_1 ^ U_2 ..., big-endian */
	/* PKCS#12: what is hashed first, len bytes */
	uint8_t *d;
	size_t len;
	uint32_t part; /* PBKDF2: number of the part */
};

struct hash {
	int nid;
	const uint32_t *start;
	size_t words;
	void (*compress)(struct chain *, const uint32_t start[],
	    uint8_t block[BLOCK]);
	/* takes up to TURNS chains so many steps on, in turn */
	void (*turns)(struct chain *, size_t n, int64_t steps);
};

/* Steps ------------------------------------------------------------------- */

/*
 * Stores four words of a hash, big-endian, at once: the next round loads them
 * as one, and would wait for pieces.  General registers make them, since the
 * units for vectors are busy with the hashes side by side.
 */
typedef uint64_t quad __attribute__((vector_size(16)));

/* Returns two words of a context with their bytes swapped. */
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
 * Hashes a block after the state start.  The hash replaces the first bytes of
 * the block; for SHA-1 the first byte of padding, and zeros, replace the rest
 * of 32.
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
turns_sha1(struct chain *c, size_t n, int64_t steps)
{
	int64_t k;
	size_t i;

	for (k = 0; k < steps; k++)
		for (i = 0; i < n; i++) {
			compress_sha1(&c[i], c[i].before[k & 1], c[i].block);
			if (c[i].adds[k & 1])
				add_sum(&c[i]);
		}
}

static void
turns_sha256(struct chain *c, size_t n, int64_t steps)
{
	int64_t k;
	size_t i;

	for (k = 0; k < steps; k++)
		for (i = 0; i < n; i++) {
			compress_sha256(&c[i], c[i].before[k & 1], c[i].block);
			if (c[i].adds[k & 1])
				add_sum(&c[i]);
		}
}

static const struct hash hashes[] = {
	{ NID_sha1, start_sha1, 5, compress_sha1, turns_sha1 },
	{ NID_sha256, start_sha256, 8, compress_sha256, turns_sha256 },
};

#define HASHES (sizeof(hashes) / sizeof(hashes[0]))

/* Returns NULL for a hash that is left to OpenSSL. */
static const struct hash *
hash_of(const EVP_MD *md)
{
	size_t i;

	for (i = 0; i < HASHES; i++)
		if (EVP_MD_get_type(md) == hashes[i].nid)
			return &hashes[i];
	return NULL;
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

/* Repeats s up to a multiple of a block.  Returns the length. */
static size_t
repeat(uint8_t *dst, const uint8_t *s, size_t n)
{
	size_t i, len = (n + BLOCK - 1) / BLOCK * BLOCK;

	for (i = 0; i < len; i++)
		dst[i] = s[i % n];
	return len;
}

/* Makes D, S and P of RFC 7292 appendix B.2. */
static void
pkcs12_start(struct chain *c)
{
	const struct kdf *k = c->k;

	if ((c->d = OPENSSL_malloc(3 * BLOCK + k->nsalt + k->npass)) == NULL)
		heap_nomem();
	memset(c->d, k->id, BLOCK);
	c->len = BLOCK + repeat(c->d + BLOCK, k->salt, k->nsalt);
	c->len += repeat(c->d + c->len, k->pass, k->npass);
	memcpy(c->before[0], c->h->start, sizeof(c->before[0]));
	memcpy(c->before[1], c->h->start, sizeof(c->before[1]));
}

/* Does the first round of the next part.  Returns 1, or 0. */
static int
pkcs12_first(struct chain *c)
{
	int ok = EVP_Digest(c->d, c->len, c->block, NULL, c->k->md, NULL);

	last_block(c, 4 * c->h->words);
	return ok;
}

/* Adds b, of size bytes and repeated, and 1 to a block: step 6 C. */
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

/* Hashes a block of HMAC's key, each byte changed by x. */
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

/* Makes the password the key of HMAC.  Returns 1, or 0. */
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
	key_block(c, key, 0x36, c->before[0]);
	key_block(c, key, 0x5c, c->before[1]);
	c->adds[1] = 1;
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

/* Makes U_1 of the next part.  Returns 1, or 0. */
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

/* Derives with OpenSSL alone. */
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
chain_first(struct chain *c)
{
	const int64_t more = c->k->rounds > 1 ? c->k->rounds - 1 : 0;

	c->left = c->k->id != 0 ? more : 2 * more;
	return c->k->id != 0 ? pkcs12_first(c) : pbkdf2_first(c);
}

static int
chain_start(struct chain *c, const struct hash *h, const struct kdf *k)
{
	memset(c, 0, sizeof(*c));
	c->k = k;
	c->h = h;
	if (k->id != 0)
		pkcs12_start(c);
	else if (!pbkdf2_start(c))
		return 0;
	return chain_first(c);
}

/* Puts the part of the output that is ready.  Returns 1 if it was the last. */
static int
chain_put(struct chain *c)
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

/* Puts a chain into lane i, or takes it out. */
static void
lane_put(struct lanes *l, size_t i, const struct chain *c)
{
	uint32_t h[WORDS];
	size_t k;

	memcpy(h, c->block, sizeof(h));
	for (k = 0; k < c->h->words; k++) {
		l->h[k][i] = be32toh(h[k]);
		l->sum[k][i] = be32toh(c->sum[k]);
		l->before[0][k][i] = c->before[0][k];
		l->before[1][k][i] = c->before[1][k];
	}
	l->adds[0][i] = c->adds[0] ? UINT32_MAX : 0;
	l->adds[1][i] = c->adds[1] ? UINT32_MAX : 0;
	l->bits[i] = (uint32_t)c->block[BLOCK - 2] << 8 | c->block[BLOCK - 1];
}

static void
lane_take(const struct lanes *l, size_t i, struct chain *c)
{
	uint32_t h[WORDS] = { 0 };
	size_t k;

	for (k = 0; k < c->h->words; k++) {
		h[k] = htobe32(l->h[k][i]);
		c->sum[k] = htobe32(l->sum[k][i]);
	}
	memcpy(c->block, h, 4 * c->h->words);
	OPENSSL_cleanse(h, sizeof(h));
}

/* Takes n chains so many steps on, each in a lane. */
static void
lanes_do(const struct lanes_way *way, struct chain *c, size_t n, int64_t steps)
{
	lanes_run *run = c->h->words == 5 ? way->sha1 : way->sha256;
	struct lanes l;
	size_t i;

	memset(&l, 0, sizeof(l));
	for (i = 0; i < n; i++)
		lane_put(&l, i, &c[i]);
	for (i = 0; i < n; i += way->width)
		run(&l, i, steps);
	for (i = 0; i < n; i++)
		lane_take(&l, i, &c[i]);
	/* a step of zeros wipes registers, and what was kept on the stack */
	OPENSSL_cleanse(&l, sizeof(l));
	run(&l, 0, 1);
	OPENSSL_cleanse(&l, sizeof(l));
}

static void
turns_do(struct chain *c, size_t n, int64_t steps)
{
	size_t i;

	for (i = 0; i < n; i += TURNS)
		c->h->turns(&c[i], n - i < TURNS ? n - i : TURNS, steps);
}

/* Ways -------------------------------------------------------------------- */

/*
 * The cost of the ways here, in ns for some steps: of a chain in turn, or a
 * pass of lanes.  0: not measured, or the processor lacks the way.
 */
static struct {
	uint64_t ns[WAYS];
} costs[HASHES];

static int only = -1; /* the way that a test wants */

static uint64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Tries each way of a hash: the least of three, less than 0.3 ms in all. */
static void
measure(const struct hash *h)
{
	uint64_t *ns = costs[h - hashes].ns, t;
	const struct lanes_way *way;
	struct chain c[TURNS];
	struct lanes l;
	size_t i, k;

	memset(c, 0, sizeof(c));
	memset(&l, 0, sizeof(l));
	for (k = 0; k < 3; k++) {
		t = now();
		h->turns(c, TURNS, 16);
		t = (now() - t) / TURNS;
		ns[0] = ns[0] == 0 || t < ns[0] ? t : ns[0];
		for (i = 1; i < WAYS && (way = lanes_way(i - 1)) != NULL; i++) {
			t = now();
			(h->words == 5 ? way->sha1 : way->sha256)(&l, 0, 16);
			t = now() - t;
			ns[i] = ns[i] == 0 || t < ns[i] ? t : ns[i];
		}
	}
}

/* Returns the cost of n chains; UINT64_MAX: they cannot be done in this way. */
static uint64_t
cost(const struct hash *h, size_t i, size_t n)
{
	const struct lanes_way *way = i == 0 ? NULL : lanes_way(i - 1);
	const uint64_t *ns = costs[h - hashes].ns;

	if (i > 0 && way == NULL)
		return UINT64_MAX;
	if (only >= 0)
		return (size_t)only == i ? 0 : UINT64_MAX;
	if (ns[0] == 0)
		measure(h);
	return i == 0 ? n * ns[0] : (n + way->width - 1) / way->width * ns[i];
}

/* Returns the way in which n chains cost least. */
static size_t
best(const struct hash *h, size_t n)
{
	size_t i, b = 0;

	for (i = 1; i < WAYS; i++)
		if (cost(h, i, n) < cost(h, b, n))
			b = i;
	return b;
}

int
kdf_use(int way)
{
	only = way;
	return way <= 0 || (way < WAYS && lanes_way((size_t)way - 1) != NULL);
}

size_t
kdf_width(const EVP_MD *md)
{
	const struct hash *h = hash_of(md);
	size_t way = h == NULL ? 0 : best(h, LANES_MOST);

	if (h == NULL)
		return 1;
	return way == 0 ? TURNS : lanes_way(way - 1)->width;
}

/* Does as many steps of all as the shortest one needs. */
static void
run(struct chain *c, size_t n)
{
	int64_t steps = c[0].left;
	size_t i, way = best(c->h, n);
	uint32_t before[WORDS];

	for (i = 1; i < n; i++)
		if (c[i].left < steps)
			steps = c[i].left;
	if (way == 0)
		turns_do(c, n, steps);
	else
		lanes_do(lanes_way(way - 1), c, n, steps);
	for (i = 0; i < n; i++) {
		c[i].left -= steps;
		if (steps % 2 == 0 || !(c[i].adds[0] || c[i].adds[1]))
			continue;
		/* the other half of HMAC is next */
		memcpy(before, c[i].before[0], sizeof(before));
		memcpy(c[i].before[0], c[i].before[1], sizeof(before));
		memcpy(c[i].before[1], before, sizeof(before));
		c[i].adds[0] = !c[i].adds[0];
		c[i].adds[1] = !c[i].adds[1];
	}
	OPENSSL_cleanse(before, sizeof(before));
}

/* Derives all of one hash.  Returns 1, or 0. */
static int
derive(const struct hash *h, const struct kdf **k, size_t count)
{
	struct chain c[LANES_MOST];
	size_t n = 0, i;
	int ok = 1;

	while (ok && (count > 0 || n > 0)) {
		while (ok && count > 0 && n < LANES_MOST) {
			ok = chain_start(&c[n++], h, *k++);
			count--;
		}
		if (ok)
			run(c, n);
		for (i = n; ok && i-- > 0;) {
			if (c[i].left > 0)
				continue;
			if (!chain_put(&c[i])) {
				ok = chain_first(&c[i]);
				continue;
			}
			OPENSSL_clear_free(c[i].d, c[i].len);
			c[i] = c[--n];
		}
	}
	for (; n > 0; n--)
		OPENSSL_clear_free(c[n - 1].d, c[n - 1].len);
	OPENSSL_cleanse(c, sizeof(c));
	return ok;
}

static int64_t
work(const struct kdf *k)
{
	return k->rounds * (int64_t)(1 + k->n / SHA_DIGEST_LENGTH);
}

/* Sorts the longest first, so that none is left to run alone. */
static int
by_work(const void *a, const void *b)
{
	int64_t x = work(*(const struct kdf *const *)a);
	int64_t y = work(*(const struct kdf *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

int
kdf_derive(const struct kdf *k, size_t count)
{
	const struct kdf **of = OPENSSL_malloc((count + 1) * sizeof(*of));
	size_t h, i, n;
	int ok = 1;

	if (of == NULL)
		heap_nomem();
	for (h = 0; ok && h < HASHES; h++) {
		for (n = i = 0; i < count; i++)
			if (hash_of(k[i].md) == &hashes[h])
				of[n++] = &k[i];
		qsort(of, n, sizeof(*of), by_work);
		ok = derive(&hashes[h], of, n);
	}
	for (i = 0; ok && i < count; i++)
		if (hash_of(k[i].md) == NULL)
			ok = openssl(&k[i]);
	OPENSSL_free(of);
	return ok;
}
