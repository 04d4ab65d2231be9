/* Members of a backup: which kind a file is, DER, PEM, records. */

#include "file/file.h"
#include "file/magic.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct findings l = { NULL, 0 };
	struct reason w;
	int rc;

	(void)magic_of(p, n);
	rc = file_read(p, n, fuzz_secrets(), &l, &w);
	fuzz_must(rc || w.detail[0] != '\0', "a refusal says why");
	fuzz_items(&l);
	return 0;
}
