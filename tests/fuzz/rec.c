/* Records: a line that is read is the one that stood there. */

#include <openssl/crypto.h>
#include <string.h>

#include "fuzz.h"
#include "rec.h"

/* Every field, as text and as base64. */
static void
fields(const struct rec *r)
{
	char label[64];
	uint8_t *bin;
	char *text;
	size_t i, n;

	for (i = 0; i < r->nfields; i++) {
		(void)snprintf(label, sizeof(label), "%.*s",
		    (int)r->field[i].llen, r->field[i].label);
		text = rec_text(r, label, &n);
		OPENSSL_free(text);
		if ((bin = rec_b64(r, label, 0, &n)) != NULL)
			OPENSSL_clear_free(bin, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rec_in *in = rec_in_mem(p, n);
	size_t at = 0;
	struct why w;
	struct rec r;

	while (rec_in_read(in, &r, &w) == 1) {
		fields(&r);
		(void)rec_complete(&r, &w);
		fuzz_must(r.len < n - at &&
			memcmp(r.line, p + at, r.len) == 0 &&
			p[at + r.len] == '\n',
		    "records pass unchanged");
		at += r.len + 1;
	}
	rec_in_free(in);
	return 0;
}
