/* Records: what is read is what is written again. */

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "record/read.h"
#include "record/write.h"

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

/* Writes a record as it was read.  Returns 1, or 0: it is too long. */
static int
again(struct rec_out *out, const struct rec *r)
{
	char *s;
	size_t i;

	for (i = 0; i < r->nfields; i++) {
		s = i == 0 ? strndup(r->field[i].val, r->field[i].vlen) :
			     strndup(r->field[i].label, r->field[i].llen);
		if (i == 0)
			rec_begin(out, s);
		else
			rec_put_field(out, r, s);
		free(s);
	}
	return rec_end(out) == 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rec_in *in = rec_in_mem(p, n);
	char *copy = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&copy, &len);
	struct rec_out *out = rec_out_new(fp);
	struct reason w;
	struct rec r;

	while (rec_in_read(in, &r, &w) == 1) {
		fields(&r);
		(void)rec_complete(&r, &w);
		if (!again(out, &r))
			break;
	}
	(void)fflush(fp);
	fuzz_must(len <= n && memcmp(copy, p, len) == 0,
	    "records pass unchanged");
	rec_out_free(out);
	(void)fclose(fp);
	free(copy);
	rec_in_free(in);
	return 0;
}
