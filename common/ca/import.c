#include "ca/import.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/text.h"
#include "base/tool.h"
#include "ca/candidate.h"
#include "ca/hresult.h"
#include "ca/setting.h"
#include "proof/input.h"

#define BATCH	1000 /* records of one commit, at most, */
#define HELD	(8 * 1024 * 1024) /* or bytes */
#define SOME	200 /* are enough, where the next one is still to come */
#define IDLE_MS 50 /* a commit waits no longer for a record */
#define AGE_MS	800 /* nor, in all, than this: results come within a second */

/* What the columns of a Windows CA hold: [MS-CSRA] appendix B, <4> */
#define RAW_CERTIFICATE_MAX  16384 /* bytes */
#define RAW_ARCHIVED_KEY_MAX 65536 /* bytes */
#define KRA_HASHES_MAX	     68 /* of 60 characters, two bytes each: 8192 */

int
import_start(struct import *im, struct reason *w)
{
	int i;

	im->copy.db = im->db;
	if (!store_agent_all(im->db, &im->kras, w) ||
	    !store_ca_get(im->db, &im->ca, w))
		return 0;
	im->envelope = archived_key_new(im->kras);
	im->sha1 = calloc((size_t)sk_X509_num(im->kras) + 1, sizeof(*im->sha1));
	for (i = 0; im->sha1 != NULL && i < sk_X509_num(im->kras); i++)
		if (!X509_digest(sk_X509_value(im->kras, i), EVP_sha1(),
			im->sha1[i], NULL))
			heap_nomem();
	im->mem = open_memstream(&im->text, &im->textlen);
	im->held = calloc(BATCH, sizeof(struct held *));
	if (im->sha1 == NULL || im->held == NULL || im->mem == NULL ||
	    (im->out = rec_out_new(im->mem)) == NULL)
		heap_nomem();
	return 1;
}

int
import_side_by_side(const struct import *im)
{
	return sk_X509_num(im->kras) > 0 && archived_key_halves(im->envelope);
}

void
import_free(struct import *im)
{
	archived_key_free(im->envelope);
	free(im->held);
	free(im->sha1);
	sk_X509_pop_free(im->kras, X509_free);
	X509_free(im->ca);
	replica_free(&im->copy);
	rec_out_free(im->out);
	if (im->mem != NULL)
		(void)fclose(im->mem);
	free(im->text);
}

/* The KRAs of a row are count of them, in turn, from this one on. */
static size_t
first_kra(const struct import *im, int64_t id)
{
	return (size_t)((uint64_t)(id - 1) * im->count %
	    (uint64_t)sk_X509_num(im->kras));
}

/* The SHA-1 of KRA number i of a row. */
static const uint8_t *
kra_sha1(const struct import *im, int64_t id, size_t i)
{
	size_t n = (size_t)sk_X509_num(im->kras);

	return im->sha1[(first_kra(im, id) + i) % n];
}

/* SHA-1 as byte pairs, certificates apart by \n: [MS-WCCE] 3.2.2.6.2.1.3. */
static char *
recovery_hashes(const struct import *im, int64_t id)
{
	char *s = OPENSSL_zalloc((size_t)im->count * 60 + 1), *p = s;
	size_t i, k;

	for (i = 0; s != NULL && i < im->count; i++)
		for (k = 0; k < 20; k++) {
			encode_hex(p, kra_sha1(im, id, i) + k, 1);
			p += 2;
			*p++ = k < 19 ? ' ' : '\n';
		}
	if (p != s)
		p[-1] = '\0';
	return s;
}

/*
 * A record that was proven, until a batch of them meets the archive: no other
 * importer should wait for our cryptography.
 */
struct held {
	struct stream_in s; /* what it says, with rec in line */
	struct wire line;
	int bad, ok;
	struct candidate p;
	struct reason why; /* if it is not ok */
};

/* Encrypts the key to the KRAs of the row, or takes what is. */
static int
encrypt(struct import *im, int64_t id, const struct candidate *p, uint8_t **der,
    size_t *len, struct reason *w)
{
	size_t first = first_kra(im, id);

	if (p->locked != NULL)
		return archived_key_close(im->envelope, first, im->count,
		    p->locked, p->nlocked, der, len, w);
	return archived_key_make(im->envelope, first, im->count, p->key,
	    p->nkey, der, len, w);
}

/*
 * Encrypts the key to the KRAs of its row.  Returns 1, or 0 with *w; free
 * k->blob and k->hashes in either case.
 */
static int
lock_key(struct import *im, int64_t id, const struct candidate *p,
    struct store_key *k, struct reason *w)
{
	uint8_t *blob = NULL;
	int rc;

	memset(k, 0, sizeof(*k));
	if ((k->hashes = recovery_hashes(im, id)) == NULL)
		heap_nomem();
	rc = encrypt(im, id, p, &blob, &k->len, w);
	k->blob = blob;
	k->format = p->format;
	if (rc && k->len > RAW_ARCHIVED_KEY_MAX)
		rc = reason_set(w, "ceiling",
		    "an archived key of %zu bytes, and a CA keeps %d: encrypt "
		    "it to fewer KRAs (ca-setflag -d DB KRACertCount N)",
		    k->len, RAW_ARCHIVED_KEY_MAX);
	return rc;
}

/* What came of one record. */
struct outcome {
	const char *status;
	const char *reason;
	int64_t id;
	unsigned long long *counter;
};

static void
outcome(struct outcome *o, const char *status, unsigned long long *counter,
    const char *reason)
{
	o->status = status;
	o->counter = counter;
	o->reason = reason;
}

/* SHA-1 of the KRAs of a row, apart by blanks. */
static void
put_kras(const struct import *im, int64_t id)
{
	size_t n = im->count, i;
	char *list = OPENSSL_zalloc(41 * n + 1), *p = list;

	if (list == NULL)
		heap_nomem();
	for (i = 0; i < n; i++, p += 41) {
		encode_hex(p, kra_sha1(im, id, i), 20);
		p[40] = ' ';
	}
	rec_put(im->out, "kra", list, n == 0 ? 0 : 41 * n - 1);
	OPENSSL_free(list);
}

static void
put_field(struct rec_out *o, const struct rec *r, const char *label, int brief)
{
	if (brief)
		rec_puts(o, label, "");
	else
		rec_put_field(o, r, label);
}

/*
 * One `result'; brief leaves out what the record brought, which may be as
 * long as a line.  Returns 1, or 0 if it is too long.
 */
static int
put_result(struct import *im, const struct stream_in *s,
    const struct outcome *o, int brief)
{
	const struct rec *r = &s->rec;
	struct rec_out *out = im->out;
	int stored = !im->dry &&
	    (o->counter == &im->imported || o->counter == &im->updated);

	rec_begin(out, "result");
	rec_put_u64(out, "n", s->n);
	rec_puts(out, "status", o->status);
	if (o->id > 0 && (stored || o->counter == &im->present))
		rec_put_u64(out, "id", (unsigned long long)o->id);
	else
		rec_puts(out, "id", "");
	put_field(out, r, "sha1", brief);
	put_field(out, r, "serial", brief);
	put_field(out, r, "user", brief);
	if (stored && rec_is(r, "key"))
		put_kras(im, o->id);
	else if (stored && rec_is(r, "archived"))
		rec_put_field(out, r, "kra");
	else
		rec_puts(out, "kra", "");
	rec_puts(out, "reason",
	    im->dry && *o->reason == '\0' ? "not written (-n)" : o->reason);
	return rec_end(out);
}

/* Does the record, or the row of another archive, bring its key along? */
static int
has_key(const struct rec *r)
{
	return rec_is(r, "key") ||
	    (rec_is(r, "archived") && !rec_eq(r, "kra", ""));
}

/* Adds a `result' to those that wait for the commit. */
static void
result(struct import *im, const struct stream_in *s, struct outcome *o)
{
	struct reason cut;

	++*o->counter;
	im->keys += o->counter == &im->imported && has_key(&s->rec);
	im->waiting++;
	if (*o->reason != '\0')
		input_say(s, "%s: %s", o->status, o->reason);
	if (put_result(im, s, o, 0) == 1)
		return;
	reason_set(&cut, "ceiling", "%.400s", o->reason);
	o->reason = cut.detail;
	if (put_result(im, s, o, 1) != 1)
		heap_nomem();
}

/* May a foreign certificate come in?  Both switches must say so. */
static int
foreign_ok(const struct import *im, struct reason *w)
{
	if (!im->force)
		return reason_set(w, "foreign",
		    "not issued by the CA of the "
		    "archive: -f imports foreign certificates" HR_ISSUERCHAINING);
	if ((im->flags & KRAF_ENABLEFOREIGN) == 0)
		return reason_set(w, "foreign",
		    "not issued by the CA of the "
		    "archive, and KRAF_ENABLEFOREIGN is not set: run "
		    "ca-setflag -d DB KRAFlags "
		    "+KRAF_ENABLEFOREIGN" HR_ISSUERCHAINING);
	return 1;
}

static int
put_row(struct import *im, const struct stream_in *s, const struct cert *c,
    int disposition, int64_t id, const struct store_key *key, struct reason *w)
{
	struct store_row row;
	char *own[5];
	int rc, i;

	memset(&row, 0, sizeof(row));
	row.cert = c;
	row.group = rec_text_own(&s->rec, "group", &own[0]);
	row.user = rec_text_own(&s->rec, "user", &own[1]);
	row.mail = rec_text_own(&s->rec, "mail", &own[2]);
	row.guid = rec_text_own(&s->rec, "guid", &own[3]);
	row.source = rec_text_own(&s->rec, "source", &own[4]);
	row.stream = s->id;
	row.requester = im->requester;
	row.caller = im->caller;
	row.disposition = disposition;
	row.id = id;
	rc = store_put_row(im->db, &row, key, w);
	for (i = 0; i < 5; i++)
		OPENSSL_free(own[i]);
	return rc;
}

/*
 * May a certificate that is not there come in?  1, 0 with *w: no, or -1 with
 * *w when the archive fails.
 */
static int
new_ok(const struct import *im, const struct cert *c, int own, struct reason *w)
{
	int64_t id;
	int rc;

	if (c->len > RAW_CERTIFICATE_MAX)
		return reason_set(w, "ceiling",
		    "a certificate of %zu bytes, and a CA keeps %d" HR_INVALID_DATA,
		    c->len, RAW_CERTIFICATE_MAX);
	/* the numbers of two foreign CAs may be the same */
	if (!own || (rc = store_find_serial(im->db, c, &id, w)) == 0)
		return 1;
	if (rc == 1)
		rc = reason_set(w, "serial",
		    "row %lld has another certificate of this CA with this "
		    "serial number" HR_OBJECT_EXISTS,
		    (long long)id);
	return rc;
}

/*
 * Says that the row has the name of another user than the record: who looks for
 * this one must know.  "" if it has not.
 */
static const char *
other_user(const struct rec *r, int64_t id, struct text user, struct reason *w)
{
	char name[256], *own;
	struct text t = rec_text_own(r, "user", &own);

	w->detail[0] = '\0';
	if (t.n > 0 && (t.n != user.n || memcmp(t.s, user.s, t.n) != 0))
		reason_set(w, "user", "row %lld has it, under %s%s",
		    (long long)id, user.n == 0 ? "no user" : "the user ",
		    text_vis(name, sizeof(name), user.s, user.n));
	OPENSSL_free(own);
	return w->detail;
}

/*
 * Imports a certificate that is good, with its key if there is one.  Returns
 * 1 with *o, or 0 with *w when the archive fails.
 */
static int
store(struct import *im, const struct stream_in *s, struct candidate *p,
    struct outcome *o, struct reason *w)
{
	const struct cert *c = p->cert;
	int own = p->own, has_key = 0, there, ok;
	struct store_key k = { .blob = NULL };
	struct text user;

	there = store_find(im->db, c->sha256, &o->id, &has_key, &user, w);
	if (there == -1)
		return 0;
	if (there && (has_key || !p->has_key)) {
		outcome(o, "present", &im->present,
		    other_user(&s->rec, o->id, user, w));
		return 1;
	}
	ok = own || foreign_ok(im, w);
	if (ok && !there && (ok = new_ok(im, c, own, w)) == -1)
		return 0;
	if (!ok) {
		outcome(o, "refused", &im->refused, w->detail);
		return 1;
	}
	if (there)
		outcome(o, "updated", &im->updated, "");
	else
		outcome(o, "imported", &im->imported, "");
	if (!there && !store_next_id(im->db, &o->id, w))
		return 0;
	if (p->has_key && !lock_key(im, o->id, p, &k, w))
		ok = 0;
	else if (there && (ok = store_put_key(im->db, o->id, &k, w)))
		o->reason = other_user(&s->rec, o->id, user, w);
	else if (!there)
		ok = put_row(im, s, c, own ? DISP_ISSUED : DISP_FOREIGN, o->id,
		    p->has_key ? &k : NULL, w);
	OPENSSL_free((uint8_t *)(uintptr_t)k.blob);
	OPENSSL_free((char *)(uintptr_t)k.hashes);
	return ok;
}

/* Starts a transaction; settings may have changed since the last. */
static int
begin(struct import *im, struct reason *w)
{
	uint32_t n = (uint32_t)sk_X509_num(im->kras);

	if (im->open)
		return 1;
	if (n == 0)
		return reason_set(w, "kra",
		    "the archive has no KRA: store one "
		    "with ca-init" HR_NOT_CONFIGURED);
	im->open = store_begin(im->db, w);
	if (im->nheld == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &im->since);
	if (!im->open ||
	    !store_setting_get(im->db, "KRAFlags", &im->flags, w) ||
	    !store_setting_get(im->db, "KRACertCount", &im->count, w))
		return 0;
	if (im->count > n)
		return reason_set(w, "kra",
		    "KRACertCount is %u, and the archive has %u KRAs: run "
		    "ca-setflag -d DB KRACertCount 0" HR_NO_VALID_KRA,
		    im->count, n);
	if (im->count == 0)
		im->count = n;
	return im->count <= KRA_HASHES_MAX ||
	    reason_set(w, "ceiling",
		"a key for %u KRAs, and a CA keeps %d hashes: run ca-setflag "
		"-d DB KRACertCount %d",
		im->count, KRA_HASHES_MAX, KRA_HASHES_MAX);
}

int
import_due(const struct import *im, struct rec_in *in, int busy)
{
	struct timespec t;
	int64_t age;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	age = (int64_t)(t.tv_sec - im->since.tv_sec) * 1000 +
	    (t.tv_nsec - im->since.tv_nsec) / 1000000;
	if (!im->open && im->nheld == 0)
		return 0;
	return age >= AGE_MS ||
	    (!busy && !rec_in_ready(in, im->nheld < SOME ? IDLE_MS : 0));
}

/* What a fault is about, and why; the caller frees it. */
static char *
fault_text(const struct rec *r)
{
	char *source = rec_text(r, "source", NULL), *text = NULL;
	char *detail = rec_text(r, "detail", NULL);

	if (asprintf(&text, "%s%s%s", source == NULL ? "" : source,
		source == NULL || *source == '\0' ? "" : ": ",
		detail == NULL ? "" : detail) == -1)
		heap_nomem();
	OPENSSL_free(source);
	OPENSSL_free(detail);
	return text;
}

/* What Windows would call it if a certificate or key is not what it should. */
static const char *
named(struct reason *w)
{
	const char *name = "";
	struct reason copy = *w;

	if (strcmp(w->reason, "certificate") == 0)
		name = HR_INVALID_DATA;
	else if (strcmp(w->reason, "key") == 0)
		name = HR_INVALID_PARAMETER;
	reason_set(w, copy.reason, "%.400s%s", copy.detail, name);
	return w->detail;
}

/* Proves the record at hand, and encrypts its key to all KRAs.  1, or 0 *w. */
static int
prove_and_lock(const struct import *im, const struct stream_in *s,
    struct candidate *p, struct reason *w)
{
	if (!candidate_make(p, s, im->ca, w))
		return 0;
	if (!candidate_lock(p, im->envelope, (size_t)sk_X509_num(im->kras), w))
		msg_die("%s", w->detail);
	return 1;
}

void
import_prove(void *ctx, const struct stream_in *s, struct wire *answer)
{
	struct candidate p;
	struct reason w;
	int ok = prove_and_lock(ctx, s, &p, &w);

	wire_add(answer, &ok, sizeof(ok));
	if (ok)
		candidate_pack(&p, answer);
	else
		wire_add(answer, &w, sizeof(w));
	candidate_free(&p);
}

/* What import_prove() has found.  Returns 1, or 0 with *w: it is refused. */
static int
proven(struct wire *answer, struct candidate *p, struct reason *w)
{
	int ok;

	memset(p, 0, sizeof(*p));
	memcpy(&ok, wire_next(answer, sizeof(ok)), sizeof(ok));
	if (ok)
		candidate_unpack(p, answer);
	else
		memcpy(w, wire_next(answer, sizeof(*w)), sizeof(*w));
	return ok;
}

/* Takes the record at hand into the copy of an archive.  1, or 0 with *w. */
static int
copy(struct import *im, const struct stream_in *s, struct reason *w)
{
	struct outcome o = { NULL, NULL, 0, NULL };
	enum replica_status rc;

	if (im->dry)
		return reason_set(w, "usage",
		    "-n: a copy of an archive cannot be tried: make it in a "
		    "new one");
	if (!im->open) {
		im->open = store_begin(im->db, w);
		(void)clock_gettime(CLOCK_MONOTONIC, &im->since);
	}
	rc = im->open ? replica_record(&im->copy, &s->rec, &o.id, w) :
			REPLICA_STOP;
	if (rc == REPLICA_STOP || rc == REPLICA_PART)
		return rc == REPLICA_PART;
	im->read++;
	if (rc == REPLICA_REFUSED)
		outcome(&o, "refused", &im->refused, w->detail);
	else if (rc == REPLICA_PRESENT)
		outcome(&o, "present", &im->present, "");
	else if (rc == REPLICA_IMPORTED)
		outcome(&o, "imported", &im->imported, "");
	else
		outcome(&o, "updated", &im->updated, "");
	result(im, s, &o);
	return im->waiting < BATCH || import_commit(im, w);
}

/* What comes of a record that was proven.  Returns 1, or 0 with *w. */
static int
settle(struct import *im, const struct stream_in *s, int bad, int ok,
    struct candidate *p, struct reason *w)
{
	struct outcome o = { NULL, NULL, 0, NULL };
	const struct cert *c = p->cert;
	char *detail = NULL;
	int rc = 1;

	im->read++;
	if (bad)
		outcome(&o, "refused", &im->refused, s->why.detail);
	else if (rec_is(&s->rec, "fault")) {
		detail = fault_text(&s->rec);
		outcome(&o, "fault", &im->faults, detail);
	} else if (!ok)
		outcome(&o, "refused", &im->refused, named(w));
	else if (c == NULL)
		outcome(&o, "ignored", &im->ignored,
		    "not a record of keys or "
		    "certificates");
	else if (c->ca && !p->has_key)
		outcome(&o, "ignored", &im->ignored,
		    "certificate of a CA: only those of users are archived");
	else if (strcmp(c->use, "sign") == 0)
		outcome(&o, "ignored", &im->ignored,
		    "signing certificate: "
		    "only encryption keys are archived");
	else
		rc = store(im, s, p, &o, w);
	if (rc)
		result(im, s, &o);
	free(detail);
	return rc;
}

static void
held_free(struct held *h)
{
	OPENSSL_clear_free(h->line.p, h->line.size);
	candidate_free(&h->p);
	free(h);
}

/* Holds a sealed record back, once it is proven. */
static void
hold(struct import *im, const struct stream_in *s, int bad, struct wire *answer)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		heap_nomem();
	if (im->nheld == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &im->since);
	h->s = *s;
	h->s.key = NULL;
	rec_pack(&s->rec, &h->line);
	im->size += h->line.at;
	h->line.at = 0;
	rec_unpack(&h->s.rec, &h->line);
	h->bad = bad;
	if (!bad)
		h->ok = answer != NULL ? proven(answer, &h->p, &h->why) :
					 prove_and_lock(im, s, &h->p, &h->why);
	im->held[im->nheld++] = h;
}

/* Takes those that are held to the archive.  Returns 1, or 0 with *w. */
static int
settle_held(struct import *im, struct reason *w)
{
	uint8_t sha256[BATCH][32];
	struct held *h;
	size_t i, n = 0;
	int rc;

	if (im->nheld == 0)
		return 1;
	for (i = 0; i < im->nheld; i++)
		if (im->held[i]->p.cert != NULL)
			memcpy(sha256[n++], im->held[i]->p.cert->sha256, 32);
	rc = begin(im, w) && store_expect(im->db, sha256, n, w);
	for (i = 0; i < im->nheld; i++) {
		h = im->held[i];
		if (rc) {
			*w = h->why;
			rc = settle(im, &h->s, h->bad, h->ok, &h->p, w);
		}
		held_free(h);
	}
	im->nheld = im->size = 0;
	return rc;
}

int
import_record(struct import *im, const struct stream_in *s, int bad,
    struct wire *answer, struct reason *w)
{
	struct candidate p = { .cert = NULL };
	int ok, rc;

	if (s->sealed && import_side_by_side(im)) {
		hold(im, s, bad, answer);
		return (im->nheld < BATCH && im->size < HELD) ||
		    import_commit(im, w);
	}
	if (!settle_held(im, w))
		return 0;
	if (!bad && replica_is(&s->rec))
		return copy(im, s, w);
	if (!begin(im, w))
		return 0;
	ok = !bad && candidate_make(&p, s, im->ca, w);
	rc = settle(im, s, bad, ok, &p, w);
	candidate_free(&p);
	return rc && (im->waiting < BATCH || import_commit(im, w));
}

/* Moves the results that wait to stdout, at once. */
static void
release(struct import *im)
{
	if (fflush(im->mem) == EOF)
		heap_nomem();
	if (fwrite(im->text, 1, im->textlen, stdout) != im->textlen ||
	    fflush(stdout) == EOF)
		tool_lost();
	rewind(im->mem);
	im->waiting = 0;
}

int
import_commit(struct import *im, struct reason *w)
{
	char detail[256];

	if (!settle_held(im, w))
		return 0;
	if (!im->open)
		return 1;
	(void)snprintf(detail, sizeof(detail),
	    "results=%u read=%llu "
	    "imported=%llu updated=%llu present=%llu ignored=%llu "
	    "refused=%llu faults=%llu",
	    im->waiting, im->read, im->imported, im->updated, im->present,
	    im->ignored, im->refused, im->faults);
	if (im->dry)
		store_rollback(im->db);
	else if (im->copy.last > 0) {
		/* the chain of the copy stays as it came */
		if (!restore_end(im->db, im->head, w))
			return 0;
	} else if (!store_commit(im->db, im->caller, "import", detail, im->head,
		       w))
		return 0;
	im->open = 0;
	release(im);
	return 1;
}

int
import_end(struct import *im)
{
	if (rec_close(im->out) == -1 || fflush(im->mem) == EOF)
		return -1;
	release(im);
	return 1;
}
