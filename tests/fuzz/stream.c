/* Streams, plain and sealed, whole and in part. */

#include "fuzz.h"
#include "proof/prove.h"
#include "record/stream_read.h"

static void
read_all(const uint8_t *p, size_t n, int part)
{
	struct rec_in *in = rec_in_mem(p, n);
	struct stream_in *s = stream_in_new(in, NULL, NULL, part);
	enum stream_event ev;
	struct cert *c;
	struct reason w;

	while ((ev = stream_next(s)) > STREAM_EOF) {
		if (ev != STREAM_REC)
			continue;
		c = NULL;
		(void)prove_record(s, &c, NULL, NULL, &w);
		cert_free(c);
	}
	stream_in_free(s);
	rec_in_free(in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	read_all(p, n, 0);
	read_all(p, n, 1);
	return 0;
}
