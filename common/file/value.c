#include "file/value.h"

#include <string.h>

#include "file/carve.h"
#include "file/file.h"

#define SMALLEST 64 /* bytes of a key or certificate */

int
value_may(const uint8_t *p, size_t n)
{
	static const char *const magics[] = { "\x1e\xf1\xb5\xb0", /* PVK */
		"\7\2", /* BLOB */
		"-----" };
	size_t i;

	if (n < SMALLEST)
		return 0;
	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (memcmp(p, magics[i], strlen(magics[i])) == 0)
			return 1;
	return carve_may(p, n);
}

static void
found(void *ctx, uint64_t at, struct findings *l)
{
	(void)at;
	findings_move(ctx, l);
}

void
value_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l)
{
	struct carve c = { .found = found, .ctx = l, .secrets = s };
	struct reason w;

	if (file_read(p, n, s, l, &w) && l->n > 0)
		return;
	if (strcmp(w.reason, "password") == 0) {
		findings_add_fault(l, &w);
		return;
	}
	findings_free(l);
	carve_feed(&c, p, n);
	(void)carve_end(&c);
}
