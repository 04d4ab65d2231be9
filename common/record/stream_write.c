#include "record/stream_write.h"

#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/tool.h"
#include "record/lockbox.h"
#include "record/seal.h"
#include "record/signature.h"

static void
line(struct stream_out *o)
{
	if (rec_end(o->rec) == -1)
		tool_lost();
}

int
stream_out_plain(struct stream_out *o, FILE *fp)
{
	memset(o, 0, sizeof(*o));
	return (o->rec = rec_out_new(fp)) != NULL;
}

/* Ends a line with the signature over it. */
static int
put_sig(struct stream_out *o, int with_cert, struct reason *w)
{
	uint8_t *sig;
	size_t n;

	rec_put_label(o->rec, "sig");
	/* up to and including the TAB before "sig:" */
	if (!signature_make(o->signer->cert, o->signer->key, o->rec->buf,
		o->rec->len - 4, with_cert, &sig, &n, w))
		return 0;
	o->rec->len -= 5;
	rec_put_b64(o->rec, "sig", sig, n);
	OPENSSL_free(sig);
	return 1;
}

static int
put_head(struct stream_out *o, const struct trust_pair *to, uint8_t key[],
    const uint8_t id[], struct reason *w)
{
	char now[24];
	uint8_t hash[32], *box;
	size_t n;

	if (!lockbox_make(to->cert, key, &box, &n, w))
		return 0;
	rec_begin(o->rec, "stream");
	rec_puts(o->rec, "v", "1");
	rec_put_hex(o->rec, "id", id, BOX_ID);
	rec_puts(o->rec, "time", encode_now(now));
	rec_put_hex(o->rec, "to", to->sha256, sizeof(to->sha256));
	rec_put_b64(o->rec, "lockbox", box, n);
	rec_put_hex(o->rec, "signer", o->signer->sha256, 32);
	OPENSSL_free(box);
	rec_put_label(o->rec, "sig");
	digest_sha256(hash, o->rec->buf, o->rec->len - 4);
	if (o->rec->overflow || (o->seal = seal_new(key, id, hash)) == NULL)
		return reason_set(w, "seal", "cannot seal: out of memory");
	o->rec->len -= 5;
	if (!put_sig(o, 1, w))
		return 0;
	line(o);
	return 1;
}

int
stream_out_sealed(struct stream_out *o, FILE *fp, const struct trust_pair *to,
    const struct trust_pair *signer, struct reason *w)
{
	uint8_t key[BOX_KEY], id[BOX_ID];
	int rc;

	memset(o, 0, sizeof(*o));
	o->signer = signer;
	if ((o->rec = rec_out_new(fp)) == NULL ||
	    RAND_priv_bytes(key, BOX_KEY) != 1 || RAND_bytes(id, BOX_ID) != 1)
		return reason_ssl(w, "seal", "cannot start a stream");
	rc = put_head(o, to, key, id, w);
	OPENSSL_cleanse(key, sizeof(key));
	return rc;
}

/* Ends the record at hand with its seal, its key, or neither. */
static void
put_key(struct stream_out *o, const uint8_t *key, size_t n)
{
	uint8_t *sealed;

	if (o->seal == NULL) {
		if (key != NULL)
			rec_put_b64(o->rec, "key", key, n);
		return;
	}
	if ((sealed = OPENSSL_malloc(n + BOX_TAG)) == NULL)
		heap_nomem();
	rec_put_label(o->rec, "seal");
	if (!o->rec->overflow &&
	    !box_close(o->seal, o->rec->n + 1, o->rec->buf, o->rec->len - 5,
		key, n, sealed))
		heap_nomem();
	o->rec->len -= o->rec->overflow ? 0 : 6;
	rec_put_b64(o->rec, "seal", sealed, n + BOX_TAG);
	OPENSSL_free(sealed);
}

int
stream_put(struct stream_out *o, const struct stream_rec *e)
{
	const struct cert *c = e->cert;
	struct rec_out *r = o->rec;
	struct reason w;
	int rc;

	rec_begin(r, e->key != NULL ? "key" : "cert");
	rec_put_u64(r, "n", r->n + 1);
	rec_put_text(r, "group", e->group);
	rec_put_text(r, "user", e->user);
	rec_put_text(r, "mail", e->mail);
	rec_put_text(r, "guid", e->guid);
	stream_put_names(r, c);
	rec_put_u64(r, "version", (unsigned)c->version);
	rec_puts(r, "alg", c->alg);
	rec_puts(r, "use", c->use);
	rec_put_hex(r, "spki", c->spki, sizeof(c->spki));
	rec_put_hex(r, "sha1", c->sha1, sizeof(c->sha1));
	rec_put_hex(r, "sha256", c->sha256, sizeof(c->sha256));
	rec_put_text(r, "source", e->source);
	rec_put_b64(r, "cert", c->der, c->len);
	put_key(o, e->key, e->keylen);
	if ((rc = rec_end(r)) == -1)
		tool_lost();
	if (rc == 0) {
		reason_set(&w, "ceiling",
		    "its record would be longer than %d "
		    "bytes, the ceiling",
		    REC_LINE_MAX);
		msg_record("%.*s: %s",
		    (int)(e->source.n > 256 ? 256 : e->source.n), e->source.s,
		    w.detail);
		stream_fault(o, e->source, e, &w);
	}
	return rc;
}

/* Puts a name of whoever lost something, unless it is too long. */
static void
put_name(struct rec_out *o, const char *label, struct text t)
{
	if (t.s != NULL && t.n <= REC_LINE_MAX / 16)
		rec_put_text(o, label, t);
	else
		rec_puts(o, label, "");
}

void
stream_fault(struct stream_out *o, struct text source,
    const struct stream_rec *whose, const struct reason *w)
{
	/* a path may be as long as a line: keep the fault itself */
	if (source.n > REC_LINE_MAX / 8)
		source.n = REC_LINE_MAX / 8;
	rec_begin(o->rec, "fault");
	rec_put_u64(o->rec, "n", o->rec->n + 1);
	rec_put_text(o->rec, "source", source);
	rec_puts(o->rec, "reason", w->reason);
	rec_puts(o->rec, "detail", w->detail);
	if (whose != NULL) {
		put_name(o->rec, "group", whose->group);
		put_name(o->rec, "user", whose->user);
	}
	put_key(o, NULL, 0);
	line(o);
}

static void
put_sum(struct rec_out *r, const struct stream_sum *sum)
{
	rec_put_u64(r, "members", sum->members);
	rec_put_u64(r, "members_keys", sum->keys);
	rec_put_u64(r, "members_certs", sum->certs);
	rec_put_u64(r, "members_faulted", sum->faulted);
	rec_put_u64(r, "members_skipped", sum->skipped);
}

int
stream_close(struct stream_out *o, struct reason *w)
{
	int rc = 1;

	if (o->seal == NULL) {
		if (rec_close(o->rec) == -1)
			tool_lost();
	} else {
		rec_begin(o->rec, "end");
		rec_put_counts(o->rec);
		if (o->sum != NULL)
			put_sum(o->rec, o->sum);
		if ((rc = put_sig(o, 0, w)) != 0 && rec_end(o->rec) == -1)
			tool_lost();
	}
	box_free(o->seal);
	rec_out_free(o->rec);
	return rc;
}

void
stream_put_names(struct rec_out *o, const struct cert *c)
{
	rec_puts(o, "serial", c->serial);
	rec_puts(o, "issuer", c->issuer);
	rec_puts(o, "subject", c->subject);
	rec_puts(o, "not_before", c->not_before);
	rec_puts(o, "not_after", c->not_after);
}
