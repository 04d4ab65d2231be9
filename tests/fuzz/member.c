/* Members of a backup: which kind a file is, DER, PEM, records. */

#include "member.h"
#include "fuzz.h"
#include "kind.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct items l = { NULL, 0 };
	struct why w;
	int rc;

	(void)kind_of(p, n);
	rc = member_read(p, n, fuzz_secrets(), &l, &w);
	fuzz_must(rc || w.detail[0] != '\0', "a refusal says why");
	fuzz_items(&l);
	return 0;
}
