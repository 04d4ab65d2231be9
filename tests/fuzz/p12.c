/* PKCS#12. */

#include "p12.h"
#include "fuzz.h"
#include "pbe.h"

#define WORK 1000000 /* rounds, so that a replay is quick */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct items l = { NULL, 0 };
	struct why w;

	pbe_start_with(WORK);
	(void)p12_is(p, n);
	(void)p12_read(p, n, fuzz_secrets(), &l, &w);
	fuzz_items(&l);
	return 0;
}
