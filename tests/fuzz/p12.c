/* PKCS#12. */

#include "file/p12.h"
#include "fuzz.h"
#include "lock/budget.h"

#define WORK 1000000 /* rounds, so that a replay is quick */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct findings l = { NULL, 0 };
	struct ahead *a = p12_ahead(p, n, fuzz_secrets());
	struct reason w;

	if (a != NULL)
		ahead_derive(&a, 1);
	budget_start_with(WORK);
	(void)p12_is(p, n);
	(void)p12_read(p, n, fuzz_secrets(), a, &l, &w);
	fuzz_items(&l);
	return 0;
}
