/* Settings, in certutil's grammar. */

#include <string.h>

#include "ca/setting.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char name[256], symbols[512], *value;
	const char *known;
	uint32_t v = 0x5a5a5a5a;
	struct reason w;

	if (n >= sizeof(name))
		n = sizeof(name) - 1;
	memcpy(name, p, n);
	name[n] = '\0';
	value = strchr(name, '\n');
	if (value == NULL)
		return 0;
	*value++ = '\0';
	if ((known = setting_find0(name, &w)) == NULL)
		return 0;
	if (!setting_apply(known, value, 3, &v, &w))
		fuzz_must(v == 0x5a5a5a5a,
		    "a value that is refused changes "
		    "nothing");
	else
		(void)setting_symbols(known, v, symbols, sizeof(symbols));
	return 0;
}
