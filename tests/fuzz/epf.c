/* Entrust profiles. */

#include "file/epf.h"
#include "fuzz.h"
#include "lock/budget.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct findings l = { NULL, 0 };
	struct reason w;

	budget_start();
	(void)epf_read(p, n, fuzz_secrets(), &l, &w);
	fuzz_items(&l);
	return 0;
}
