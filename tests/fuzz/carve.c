/* Carving: what is found does not depend on how the bytes come. */

#include "file/carve.h"
#include "fuzz.h"
#include "lock/budget.h"

struct sum {
	uint64_t at; /* of all that was found, added up */
	size_t n;
};

static void
found(void *ctx, uint64_t at, struct findings *l)
{
	struct sum *s = ctx;

	s->at += at;
	s->n += l->n;
}

static struct sum
carve(const uint8_t *p, size_t n, size_t piece)
{
	static struct secrets none; /* what is behind them is for file/p12.c */
	struct sum s = { 0, 0 };
	struct carve c = { .found = found, .ctx = &s };
	size_t k;

	c.secrets = &none;
	budget_start();
	for (; n > 0; n -= k, p += k) {
		k = n < piece ? n : piece;
		carve_feed(&c, p, k);
	}
	(void)carve_end(&c);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sum one, other;

	if (n == 0)
		return 0;
	one = carve(p, n, n);
	other = carve(p, n, 1 + p[0] % 61u);
	fuzz_must(one.at == other.at && one.n == other.n,
	    "the same is found in pieces");
	return 0;
}
