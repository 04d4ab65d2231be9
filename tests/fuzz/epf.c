/* Entrust profiles. */

#include "epf.h"
#include "fuzz.h"
#include "pbe.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct items l = { NULL, 0 };
	struct why w;

	pbe_start();
	(void)epf_read(p, n, fuzz_secrets(), &l, NULL, &w);
	fuzz_items(&l);
	return 0;
}
