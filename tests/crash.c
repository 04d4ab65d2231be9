/*
 * Preloaded by workers.bats: a parser with a fault.  A file that begins with
 * "crash it" kills the process that looks for a mail in it.  By a bad write: a
 * process in the sandbox sends no signal.
 */

#include <string.h>

#define MARK "crash it"

void *
memmem(const void *p, size_t n, const void *s, size_t m)
{
	static volatile char *volatile nowhere;
	const char *q = p;

	if (n >= sizeof(MARK) - 1 && memcmp(p, MARK, sizeof(MARK) - 1) == 0)
		*nowhere = 0;
	for (; n >= m; n--, q++)
		if (memcmp(q, s, m) == 0)
			return (void *)q;
	return NULL;
}
