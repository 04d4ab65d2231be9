#include "file/records.h"

#include <openssl/crypto.h>

#include "base/heap.h"
#include "record/read.h"
#include "record/stream_read.h"

int
records_read(const uint8_t *p, size_t n, struct findings *l, struct reason *w)
{
	struct rec_in *in = rec_in_mem(p, n);
	struct stream_in *st = in == NULL ? NULL :
					    stream_in_new(in, NULL, NULL, 0);
	enum stream_event ev;
	uint8_t *der;
	char *detail;
	size_t len;

	if (st == NULL)
		heap_nomem();
	while ((ev = stream_next(st)) > STREAM_EOF) {
		if (ev == STREAM_HEAD) {
			ev = STREAM_BROKEN;
			reason_set(&st->why, "format",
			    "a sealed stream: read it "
			    "with kms-verify or ca-import");
			break;
		}
		if (ev != STREAM_REC)
			continue;
		if (rec_is(&st->rec, "fault")) {
			detail = rec_text(&st->rec, "detail", NULL);
			reason_set(w, "damaged", "line %llu: %s",
			    st->rec.lineno, detail == NULL ? "" : detail);
			findings_add_fault(l, w);
			OPENSSL_free(detail);
		}
		if (st->key != NULL)
			findings_add_key(l, st->key, st->keylen, NULL, 0);
		if (rec_get0(&st->rec, "cert") == NULL)
			continue;
		if ((der = rec_b64(&st->rec, "cert", 0, &len)) == NULL) {
			ev = STREAM_BROKEN;
			reason_set(&st->why, "record",
			    "cert is not base64: make the records anew");
			break;
		}
		findings_add_cert(l, der, len, NULL, 0);
		OPENSSL_free(der);
	}
	if (ev == STREAM_BROKEN)
		reason_set(w, "damaged", "line %llu: %s", st->rec.lineno,
		    st->why.detail);
	stream_in_free(st);
	rec_in_free(in);
	return ev == STREAM_EOF;
}
