/*
 * The two hashes for lock/lanes.c, which includes this for each width: LANES is
 * the width, LANES_FOR the processor that a function is compiled for,
 * LANES_NAME names it.  Source: FIPS 180-4 sections 6.1.2 and 6.2.2, with its
 * names.
 */

typedef uint32_t LANES_NAME(words)
    __attribute__((vector_size(4 * LANES), may_alias));

LANES_FOR static void
LANES_NAME(sha1)(struct lanes *l, size_t first, int64_t steps)
{
	typedef LANES_NAME(words) words;
	words h[5], w[16], sum[5], x[5], f;
	uint32_t k;
	int turn, i;

	for (i = 0; i < 5; i++) {
		h[i] = *(words *)&l->h[i][first];
		sum[i] = *(words *)&l->sum[i][first];
	}
	for (turn = 0; steps > 0; steps--, turn ^= 1) {
		for (i = 0; i < 5; i++) {
			w[i] = h[i];
			h[i] = x[i] = *(words *)&l->before[turn][i][first];
		}
		w[5] = (words){ 0 } + 0x80000000;
		for (i = 6; i < 15; i++)
			w[i] = (words){ 0 };
		w[15] = *(words *)&l->bits[first];
		UNROLL for (i = 0; i < 80; i++)
		{
			if (i >= 16)
				w[i & 15] = ROTL(w[(i + 13) & 15] ^
					w[(i + 8) & 15] ^ w[(i + 2) & 15] ^
					w[i & 15],
				    1);
			if (i < 20) {
				f = x[3] ^ (x[1] & (x[2] ^ x[3]));
				k = 0x5a827999;
			} else if (i >= 40 && i < 60) {
				f = (x[1] & x[2]) | (x[3] & (x[1] | x[2]));
				k = 0x8f1bbcdc;
			} else {
				f = x[1] ^ x[2] ^ x[3];
				k = i < 40 ? 0x6ed9eba1 : 0xca62c1d6;
			}
			f += ROTL(x[0], 5) + x[4] + k + w[i & 15];
			x[4] = x[3];
			x[3] = x[2];
			x[2] = ROTL(x[1], 30);
			x[1] = x[0];
			x[0] = f;
		}
		for (i = 0; i < 5; i++) {
			h[i] += x[i];
			sum[i] ^= h[i] & *(words *)&l->adds[turn][first];
		}
	}
	for (i = 0; i < 5; i++) {
		*(words *)&l->h[i][first] = h[i];
		*(words *)&l->sum[i][first] = sum[i];
	}
}

LANES_FOR static void
LANES_NAME(sha256)(struct lanes *l, size_t first, int64_t steps)
{
	typedef LANES_NAME(words) words;
	words h[8], w[16], x[8], t, u, p, q;
	int turn, i;

	for (i = 0; i < 8; i++)
		h[i] = *(words *)&l->h[i][first];
	for (turn = 0; steps > 0; steps--, turn ^= 1) {
		for (i = 0; i < 8; i++) {
			w[i] = h[i];
			x[i] = *(words *)&l->before[turn][i][first];
		}
		w[8] = (words){ 0 } + 0x80000000;
		for (i = 9; i < 15; i++)
			w[i] = (words){ 0 };
		w[15] = *(words *)&l->bits[first];
		UNROLL for (i = 0; i < 64; i++)
		{
			if (i >= 16) {
				p = w[(i + 1) & 15];
				q = w[(i + 14) & 15];
				w[i & 15] += w[(i + 9) & 15] +
				    (ROTR(p, 7) ^ ROTR(p, 18) ^ p >> 3) +
				    (ROTR(q, 17) ^ ROTR(q, 19) ^ q >> 10);
			}
			t = x[7] + sha256_k[i] + w[i & 15] +
			    (ROTR(x[4], 6) ^ ROTR(x[4], 11) ^ ROTR(x[4], 25)) +
			    (x[6] ^ (x[4] & (x[5] ^ x[6])));
			u = (ROTR(x[0], 2) ^ ROTR(x[0], 13) ^ ROTR(x[0], 22)) +
			    ((x[0] & x[1]) | (x[2] & (x[0] | x[1])));
			x[7] = x[6];
			x[6] = x[5];
			x[5] = x[4];
			x[4] = x[3] + t;
			x[3] = x[2];
			x[2] = x[1];
			x[1] = x[0];
			x[0] = t + u;
		}
		for (i = 0; i < 8; i++) {
			h[i] = x[i] + *(words *)&l->before[turn][i][first];
			*(words *)&l->sum[i][first] ^= h[i] &
			    *(words *)&l->adds[turn][first];
		}
	}
	for (i = 0; i < 8; i++)
		*(words *)&l->h[i][first] = h[i];
}

#undef LANES
#undef LANES_FOR
#undef LANES_NAME
