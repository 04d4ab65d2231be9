#include "file/records.h"

#include <openssl/crypto.h>

#include "base/heap.h"
#include "record/read.h"
#include "record/stream_read.h"

/* Returns 1 for a key encrypted to agents, or in a record of unknown kind. */
static int
records_has_other(const struct rec *r)
{
	static const char *const labels[] = { "key", "blob", "recovery" };
	size_t i;

	for (i = rec_is(r, "key") ? 1 : 0;
	     i < sizeof(labels) / sizeof(labels[0]); i++)
		if (rec_has(r, labels[i]))
			return 1;
	return 0;
}

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
		if (records_has_other(&st->rec)) {
			reason_set(w, "unsupported",
			    "line %llu: a key that is not read here: give "
			    "archived records to ca-recover",
			    st->rec.lineno);
			findings_add_fault(l, w);
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
