#include "ca/row.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/tool.h"
#include "ca/agent_hashes.h"
#include "key/cert.h"
#include "record/stream_write.h"

static void
put_hashes(struct rec_out *o, const char *row)
{
	char *s = agent_hashes_record(row);

	rec_puts(o, "kra", s);
	free(s);
}

/* Puts the last field: the archived key, wrapped for Windows with -k. */
static int
put_blob(struct rec_out *o, const struct store_found *f, int list,
    const struct blob_wrap_ca *ca, const struct cert *c, struct reason *w)
{
	uint8_t *der;
	size_t n;

	if (list || f->bloblen == 0 || ca->ca == NULL) {
		rec_put_b64(o, "blob", f->blob, list ? 0 : f->bloblen);
		return 1;
	}
	if (!blob_wrap(ca, c, f->hashes, f->blob, f->bloblen, &der, &n, w))
		return 0;
	rec_put_b64(o, "recovery", der, n);
	OPENSSL_free(der);
	return 1;
}

int
row_put_cert(struct rec_out *o, const struct store_found *f,
    const struct cert *c, const char *recipients, int list,
    const struct blob_wrap_ca *ca, struct reason *w)
{
	int rc;

	rec_begin(o, "archived");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_u64(o, "id", (unsigned long long)f->id);
	rec_put_u64(o, "disposition", (unsigned)f->disposition);
	rec_puts(o, "submitted", f->submitted);
	rec_puts(o, "requester", f->requester);
	rec_put_text(o, "group", f->seen.group);
	rec_put_text(o, "user", f->seen.user);
	rec_put_text(o, "mail", f->seen.mail);
	rec_put_text(o, "guid", f->seen.guid);
	stream_put_names(o, c);
	rec_puts(o, "alg", c->alg);
	rec_put_hex(o, "spki", c->spki, sizeof(c->spki));
	rec_puts(o, "ski", f->ski);
	rec_put_hex(o, "sha1", c->sha1, sizeof(c->sha1));
	rec_put_hex(o, "sha256", c->sha256, sizeof(c->sha256));
	put_hashes(o, f->hashes);
	rec_puts(o, "caller", f->caller);
	rec_put_text(o, "source", f->seen.source);
	rec_puts(o, "stream", f->seen.stream);
	rec_puts(o, "format", f->format);
	rec_put_id(o, "audit", f->cert_audit);
	rec_put_id(o, "key_audit", f->key_audit);
	rec_put_u64(o, "name", (unsigned long long)f->name);
	if (recipients != NULL)
		rec_puts(o, "recipients", recipients);
	rec_put_b64(o, "cert", c->der, c->len);
	if (!put_blob(o, f, list, ca, c, w))
		return 0;
	if ((rc = rec_end(o)) == -1)
		tool_lost();
	return rc == 1 ||
	    reason_set(w, "ceiling",
		"its record would be longer "
		"than %d bytes",
		REC_LINE_MAX);
}

int
row_put(struct rec_out *o, const struct store_found *f, int list,
    const struct blob_wrap_ca *ca, struct reason *w)
{
	const char *others = agent_hashes_others0(f->hashes);
	struct cert *c;
	int rc;

	if (!cert_new(&c, f->cert, f->certlen, w))
		return 0;
	rc = row_put_cert(o, f, c, *others == '\0' ? NULL : others, list, ca,
	    w);
	cert_free(c);
	return rc;
}
