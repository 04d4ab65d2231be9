#include "record/stream_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/progress.h"
#include "base/table.h"
#include "record/lockbox.h"
#include "record/seal.h"
#include "record/signature.h"

#define NOT_OURS \
	"not a kms-record stream; a file of the Exchange export " \
	"wizard has no public format: import it with certutil -importKMS on " \
	"Windows, or export PFX per user and feed those in"

struct stream_state {
	struct rec_in *in;
	const struct trust *k;
	STACK_OF(X509) *trusted; /* NULL: nobody is pinned */
	int part;
	int any; /* something was read */
	int open; /* inside a stream */
	struct box *seal; /* NULL: seals stay closed */
	uint8_t signer[32];
	EVP_MD_CTX *md;
	unsigned long long n, keys, certs, faults;
	struct table seen; /* numbers of a part */
};

/* Reading ------------------------------------------------------------- */

/* Trusts the first n certificates of a credential. */
static int
trust(STACK_OF(X509) *all, const struct trust *c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!sk_X509_push(all, c->v[i].cert))
			return 0;
	return 1;
}

struct stream_in *
stream_in_new(struct rec_in *in, const struct trust *k,
    const struct trust *trusted, int part)
{
	struct stream_in *s;
	struct stream_state *st;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if ((s->state = st = calloc(1, sizeof(*st))) == NULL)
		goto fail;
	st->in = in;
	st->k = k;
	st->part = part;
	st->seen = TABLE_OF(struct table_numbers, 8, STREAM_PART_MAX);
	if ((k != NULL || trusted != NULL) &&
	    ((st->trusted = sk_X509_new_null()) == NULL ||
		/* of -k, what has its key: not the chain that is with it */
		(k != NULL && trusted == NULL &&
		    !trust(st->trusted, k, k->nkeys)) ||
		(trusted != NULL && !trust(st->trusted, trusted, trusted->n))))
		goto fail;
	if ((st->md = EVP_MD_CTX_new()) == NULL)
		goto fail;
	return s;
fail:
	stream_in_free(s);
	return NULL;
}

void
stream_forget(struct stream_in *s)
{
	OPENSSL_secure_clear_free(s->key, s->keylen);
	s->key = NULL;
	s->keylen = 0;
}

/* Forgets what belongs to one stream. */
static void
leave(struct stream_in *s)
{
	struct stream_state *st = s->state;

	st->open = 0;
	s->sealed = s->closed = 0;
	s->id[0] = '\0';
	X509_free(s->signer);
	s->signer = NULL;
	box_free(st->seal);
	st->seal = NULL;
	table_clear(&st->seen);
}

void
stream_in_free(struct stream_in *s)
{
	if (s == NULL)
		return;
	if (s->state != NULL) {
		stream_forget(s);
		leave(s);
		sk_X509_free(s->state->trusted);
		EVP_MD_CTX_free(s->state->md);
		free(s->state);
	}
	free(s);
}

static void
enter(struct stream_in *s, int sealed)
{
	struct stream_state *st = s->state;

	st->open = 1;
	s->sealed = sealed;
	s->closed = sealed && st->seal == NULL;
	st->n = st->keys = st->certs = st->faults = 0;
	if (!EVP_DigestInit_ex(st->md, EVP_sha256(), NULL))
		heap_nomem();
}

static void
digest(struct stream_in *s)
{
	if (!EVP_DigestUpdate(s->state->md, s->rec.line, s->rec.len) ||
	    !EVP_DigestUpdate(s->state->md, "\n", 1))
		heap_nomem();
}

/* Returns the length of the line with the TAB before its last field. */
static size_t
before_last(const struct rec *r)
{
	return (size_t)(r->field[r->nfields - 1].label - r->line);
}

static int
last_is(const struct rec *r, const char *label)
{
	const struct rec_field *f = &r->field[r->nfields - 1];

	return f->llen == strlen(label) &&
	    memcmp(f->label, label, f->llen) == 0;
}

/* Checks the signature that ends the line. */
static int
check_sig(struct stream_in *s, STACK_OF(X509) *certs, X509 **signer)
{
	const struct rec *r = &s->rec;
	struct reason w;
	uint8_t *sig;
	size_t n;
	int rc;

	if (!last_is(r, "sig"))
		return reason_set(&s->why, "signature",
		    "sig is not the last field");
	if ((sig = rec_b64(r, "sig", 0, &n)) == NULL || n == 0) {
		OPENSSL_free(sig);
		return reason_set(&s->why, "signature", "no signature");
	}
	rc = signature_check(sig, n, r->line, before_last(r), certs,
	    s->state->signer, signer, &w);
	OPENSSL_free(sig);
	if (!rc)
		reason_set(&s->why, w.reason, "signature: %s", w.detail);
	return rc;
}

/* Opens the lockbox and makes the record key. */
static int
unlock(struct stream_in *s, const uint8_t id[BOX_ID])
{
	const struct rec *r = &s->rec;
	const struct trust_pair *p;
	uint8_t to[32], head[32], key[BOX_KEY], *box;
	char hex[65];
	size_t n;
	int rc;

	if (!rec_unhex(r, "to", to, sizeof(to)))
		return reason_set(&s->why, "record", "to is not a SHA-256");
	p = trust_find0(s->state->k, to);
	if (p == NULL || p->key == NULL)
		return reason_set(&s->why, "lockbox",
		    "sealed to another "
		    "certificate than that of -k (SHA-256 %s)",
		    encode_hex(hex, to, sizeof(to)));
	if ((box = rec_b64(r, "lockbox", 0, &n)) == NULL)
		return reason_set(&s->why, "record", "lockbox is not base64");
	rc = lockbox_open(p->cert, p->key, box, n, key, &s->why);
	OPENSSL_free(box);
	if (!rc)
		return 0;
	digest_sha256(head, r->line, before_last(r));
	s->state->seal = seal_new(key, id, head);
	OPENSSL_cleanse(key, sizeof(key));
	if (s->state->seal == NULL)
		heap_nomem();
	return 1;
}

/* Reads the head: the signature first, then the lockbox. */
static enum stream_event
head(struct stream_in *s)
{
	struct stream_state *st = s->state;
	uint8_t id[BOX_ID];

	if (st->open && !st->part) {
		reason_set(&s->why, "record",
		    "a stream starts before the end "
		    "of the one before: it was cut, or is a part (-P)");
		return STREAM_BROKEN;
	}
	leave(s);
	if (!rec_eq(&s->rec, "v", "1")) {
		reason_set(&s->why, "record",
		    "stream version is not 1: a newer "
		    "kms2ca is needed");
		return STREAM_BROKEN;
	}
	if (!rec_unhex(&s->rec, "id", id, sizeof(id)) ||
	    !rec_unhex(&s->rec, "signer", st->signer, sizeof(st->signer))) {
		reason_set(&s->why, "record",
		    "id or signer is not hex of its "
		    "size");
		return STREAM_BROKEN;
	}
	if (!check_sig(s, st->trusted, &s->signer) ||
	    (st->k != NULL && !unlock(s, id)))
		return STREAM_BROKEN;
	encode_hex(s->id, id, sizeof(id));
	enter(s, 1);
	digest(s);
	return STREAM_HEAD;
}

static int
same(struct stream_in *s, const char *label, unsigned long long want)
{
	unsigned long long v;

	if (rec_u64(&s->rec, label, &v) && v == want)
		return 1;
	return reason_set(&s->why, "cut",
	    "in end, %s is not %llu: records are missing or added: "
	    "fetch it whole",
	    label, want);
}

/* Checks counts and digest of the whole stream. */
static int
whole(struct stream_in *s)
{
	struct stream_state *st = s->state;
	uint8_t md[32], want[32];

	if (!EVP_DigestFinal_ex(st->md, md, NULL))
		heap_nomem();
	if (!same(s, "n", st->n) || !same(s, "keys", st->keys) ||
	    !same(s, "certs", st->certs) || !same(s, "faults", st->faults))
		return 0;
	if (!rec_unhex(&s->rec, "sha256", want, sizeof(want)) ||
	    memcmp(md, want, sizeof(md)) != 0)
		return reason_set(&s->why, "record",
		    "the digest of the stream "
		    "differs: it was altered");
	return 1;
}

static enum stream_event
end(struct stream_in *s)
{
	struct stream_state *st = s->state;
	STACK_OF(X509) *signer;
	int rc = 1;

	if (!st->open)
		enter(s, 0); /* the end of an empty plain stream */
	if (s->sealed) {
		if ((signer = sk_X509_new_null()) == NULL ||
		    !sk_X509_push(signer, s->signer))
			heap_nomem();
		rc = check_sig(s, signer, NULL);
		sk_X509_free(signer);
	} else if (st->trusted != NULL || !rec_eq(&s->rec, "sig", "")) {
		reason_set(&s->why, "signature", "end of a plain stream%s",
		    st->trusted != NULL ? " where only sealed ones are "
					  "trusted (-k or -C)" :
					  " carries a signature");
		rc = 0;
	}
	if (!rc || (!st->part && !whole(s)))
		return STREAM_BROKEN;
	leave(s);
	return STREAM_END;
}

/* Returns 1 for records that are numbered in every stream. */
static int
numbered(const struct rec *r)
{
	return rec_is(r, "key") || rec_is(r, "cert") || rec_is(r, "fault") ||
	    rec_is(r, "archived");
}

/* Checks number and place.  Returns 1, or 0 if the stream is broken. */
static int
place(struct stream_in *s)
{
	struct stream_state *st = s->state;
	int rc;

	s->n = 0;
	st->n++;
	st->keys += (unsigned)rec_is(&s->rec, "key");
	st->certs += (unsigned)rec_is(&s->rec, "cert");
	st->faults += (unsigned)rec_is(&s->rec, "fault");
	if (!s->sealed && !numbered(&s->rec))
		return 1;
	if (!rec_u64(&s->rec, "n", &s->n) || s->n == 0)
		return reason_set(&s->why, "record", "no number n");
	if (st->part && s->sealed &&
	    (rc = table_add_number(&st->seen, s->n)) != 1)
		return rc == 0 ?
		    reason_set(&s->why, "record", "n %llu appears twice",
			s->n) :
		    reason_set(&s->why, "ceiling",
			"more than %d scattered numbers n, the ceiling of a "
			"part: give it in several",
			STREAM_PART_MAX);
	if (!st->part && s->n != st->n)
		return reason_set(&s->why, "record",
		    "n is %llu, not %llu: "
		    "records are missing, repeated or out of order (or this "
		    "is a part: -P)",
		    s->n, st->n);
	return 1;
}

void
stream_lead(struct stream_in *s, const struct rec *head)
{
	uint8_t id[BOX_ID];

	leave(s);
	s->rec = *head;
	if (!rec_unhex(head, "id", id, sizeof(id)) || !unlock(s, id))
		msg_die("stdin:%llu: %s", head->lineno, s->why.detail);
	encode_hex(s->id, id, sizeof(id));
	enter(s, 1);
}

enum stream_event
stream_open(struct stream_in *s)
{
	uint8_t *sealed;
	size_t n;
	int ok = 0;

	stream_forget(s);
	if (s->state->seal == NULL)
		return STREAM_REC;
	sealed = rec_b64(&s->rec, "seal", 0, &n);
	if (sealed != NULL && n >= BOX_TAG) {
		s->keylen = n - BOX_TAG;
		if ((s->key = OPENSSL_secure_malloc(s->keylen + 1)) == NULL)
			heap_nomem();
		ok = box_open(s->state->seal, s->n, s->rec.line,
		    before_last(&s->rec), sealed, n, s->key);
	}
	OPENSSL_free(sealed);
	if (!ok)
		reason_set(&s->why, "seal",
		    "the seal does not open: the record "
		    "was altered, or is of another place or stream");
	else if (rec_is(&s->rec, "key") != (s->keylen > 0) && numbered(&s->rec))
		ok = reason_set(&s->why, "seal",
		    s->keylen > 0 ? "holds a key that it must not hold" :
				    "holds no key");
	if (!ok || s->keylen == 0 || !rec_is(&s->rec, "key"))
		stream_forget(s);
	return ok ? STREAM_REC : STREAM_BAD;
}

static enum stream_event
record(struct stream_in *s)
{
	struct stream_state *st = s->state;

	if (!st->open) {
		if (st->trusted != NULL) {
			reason_set(&s->why, "record",
			    "a plain record where only "
			    "sealed ones are trusted (-k or -C)");
			return STREAM_BROKEN;
		}
		enter(s, 0);
	}
	digest(s);
	if (!place(s))
		return STREAM_BROKEN;
	if (s->sealed) {
		if (!last_is(&s->rec, "seal") ||
		    rec_get0(&s->rec, "key") != NULL) {
			reason_set(&s->why, "seal",
			    "seal is not the last field, "
			    "or a sealed stream holds a clear key");
			return STREAM_BROKEN;
		}
		return s->apart ? STREAM_REC : stream_open(s);
	}
	if (rec_get0(&s->rec, "seal") != NULL) {
		reason_set(&s->why, "seal",
		    "a sealed record outside its stream: "
		    "the stream line before it is missing");
		return STREAM_BROKEN;
	}
	if (!rec_is(&s->rec, "key"))
		return STREAM_REC;
	s->key = rec_b64(&s->rec, "key", 1, &s->keylen);
	if (s->key != NULL && s->keylen > 0)
		return STREAM_REC;
	if (errno == ENOMEM)
		heap_nomem();
	stream_forget(s);
	reason_set(&s->why, "record", "key record without a base64 key");
	return STREAM_BROKEN;
}

enum stream_event
stream_next(struct stream_in *s)
{
	struct stream_state *st = s->state;
	int ours, rc;

	stream_forget(s);
	s->n = 0;
	ours = st->any || rec_in_is_rec(st->in);
	rc = rec_in_read(st->in, &s->rec, &s->why);
	if (rc == 0 && !st->any)
		reason_set(&s->why, "input",
		    "empty input: expected a stream of "
		    "records");
	else if (rc == 0 && st->open && !st->part)
		reason_set(&s->why, "cut",
		    "no end record: the stream was cut: fetch it whole");
	else if (rc == 0)
		return STREAM_EOF;
	else if (rc == -1 && !ours && strcmp(s->why.reason, "input") != 0)
		reason_set(&s->why, "record", "%s", NOT_OURS);
	if (rc != 1 || !rec_complete(&s->rec, &s->why))
		return STREAM_BROKEN;
	st->any = 1;
	if (rec_is(&s->rec, "stream"))
		return head(s);
	if (rec_is(&s->rec, "end"))
		return end(s);
	progress_tick();
	if (rec_is(&s->rec, "fault"))
		progress_fault();
	return record(s);
}
