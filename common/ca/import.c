#include "ca/import.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/text.h"
#include "ca/agent_hashes.h"
#include "ca/agent_pins.h"
#include "ca/hresult.h"
#include "ca/naming.h"
#include "ca/setting.h"

/* Bytes of columns of a Windows CA: [MS-CSRA] appendix B, <4> */
#define RAW_CERTIFICATE_MAX  16384 /* bytes */
#define RAW_ARCHIVED_KEY_MAX 65536 /* bytes */
#define KRA_HASHES_MAX	     68 /* of 60 characters, two bytes each: 8192 */

int
import_start(struct import *im, struct reason *w)
{
	int i;

	if (!agent_present(im->db, &im->agents, w) ||
	    !store_ca_get(im->db, &im->ca, w))
		return 0;
	im->envelope = archived_key_new(im->agents);
	im->sha1 = calloc((size_t)sk_X509_num(im->agents) + 1,
	    sizeof(*im->sha1));
	if (im->sha1 == NULL)
		heap_nomem();
	for (i = 0; i < sk_X509_num(im->agents); i++)
		if (!X509_digest(sk_X509_value(im->agents, i), EVP_sha1(),
			im->sha1[i], NULL))
			heap_nomem();
	return 1;
}

void
import_free(struct import *im)
{
	archived_key_free(im->envelope);
	free(im->sha1);
	sk_X509_pop_free(im->agents, X509_free);
	X509_free(im->ca);
}

int
import_settings(struct import *im, struct reason *w)
{
	uint32_t n = (uint32_t)sk_X509_num(im->agents);

	im->dropped = 0;
	if (!store_setting_get(im->db, "KRAFlags", &im->flags, w) ||
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

/* Proving ---------------------------------------------------------------- */

int
import_apart(const struct import *im)
{
	return sk_X509_num(im->agents) > 0 && archived_key_halves(im->envelope);
}

void
import_work(void *ctx, const struct stream_in *s, struct wire *answer)
{
	struct candidate p;

	import_candidate(ctx, s, 0, NULL, &p);
	candidate_pack(&p, answer);
	candidate_free(&p);
}

void
import_candidate(const struct import *im, const struct stream_in *s, int bad,
    struct wire *answer, struct candidate *p)
{
	struct reason w;

	if (answer != NULL) {
		candidate_unpack(p, answer);
		return;
	}
	candidate_make(p, s, bad, im->ca);
	if (!candidate_lock(p, im->envelope, (size_t)sk_X509_num(im->agents),
		&w))
		msg_die("%s", w.detail);
}

/* Rules ------------------------------------------------------------------ */

/*
 * Encrypts the key to the agents of its row: as many as KRACertCount says, in
 * turn from row to row.  Returns 1, or 0 with *w; free k->blob and k->hashes in
 * either case.
 */
static int
lock_key(struct import *im, int64_t id, const struct candidate *p,
    struct store_key *k, struct reason *w)
{
	size_t n = (size_t)sk_X509_num(im->agents);
	size_t first = (size_t)((uint64_t)(id - 1) * im->count % n);
	uint8_t *blob = NULL;
	int rc;

	memset(k, 0, sizeof(*k));
	k->hashes = agent_hashes_new(im->sha1, n, first, im->count);
	rc = p->locked != NULL ?
	    archived_key_close(im->envelope, first, im->count, p->locked,
		p->nlocked, &blob, &k->len, w) :
	    archived_key_make(im->envelope, first, im->count, p->key, p->nkey,
		&blob, &k->len, w);
	k->blob = blob;
	k->format = p->format;
	if (rc && k->len > RAW_ARCHIVED_KEY_MAX)
		rc = reason_set(w, "ceiling",
		    "an archived key of %zu bytes, and a CA keeps %d: encrypt "
		    "it to fewer KRAs (ca-setflag -d DB KRACertCount N)",
		    k->len, RAW_ARCHIVED_KEY_MAX);
	return rc;
}

/* Returns 1 if a foreign certificate may come in: both switches must say so. */
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

/* Checks that texts fit the record of a row or fault.  1, or 0 with *w. */
static int
names_ok(const struct rec *r, struct reason *w)
{
	static const char *const label[] = { "group", "user", "mail", "guid",
		"source", "reason", "detail" };
	size_t i, n = sizeof(label) / sizeof(label[0]);
	struct text t;
	char *own;

	for (i = 0; i < (rec_is(r, "fault") ? n : n - 2); i++) {
		t = rec_text_own(r, label[i], &own);
		OPENSSL_free(own);
		if (t.n > ROW_TEXT_MAX)
			return reason_set(w, "ceiling",
			    "%s of %zu bytes, and a row keeps %d", label[i],
			    t.n, ROW_TEXT_MAX);
	}
	return 1;
}

/*
 * Checks that a new certificate may come in.  Returns 1, 0 with *w, or -1 with
 * *w if the archive fails.
 */
static int
new_ok(const struct import *im, const struct candidate *p, struct reason *w)
{
	int64_t id;
	int rc;

	if (p->cert->len > RAW_CERTIFICATE_MAX)
		return reason_set(w, "ceiling",
		    "a certificate of %zu bytes, and a CA keeps %d" HR_INVALID_DATA,
		    p->cert->len, RAW_CERTIFICATE_MAX);
	/* the numbers of two foreign CAs may be the same */
	if (!p->own || (rc = store_find_serial(im->db, p->cert, &id, w)) == 0)
		return 1;
	if (rc == 1)
		rc = reason_set(w, "serial",
		    "row %lld has another certificate of this CA with this "
		    "serial number" HR_OBJECT_EXISTS,
		    (long long)id);
	return rc;
}

/* Takes the texts of the record: free *own, OWN of them. */
#define OWN 5
static void
seen_of(const struct stream_in *s, struct store_seen *n, char *own[OWN])
{
	n->group = rec_text_own(&s->rec, "group", &own[0]);
	n->user = rec_text_own(&s->rec, "user", &own[1]);
	n->mail = rec_text_own(&s->rec, "mail", &own[2]);
	n->guid = rec_text_own(&s->rec, "guid", &own[3]);
	n->source = rec_text_own(&s->rec, "source", &own[4]);
	n->stream = s->id;
}

static void
free_own(char *own[OWN])
{
	int i;

	for (i = 0; i < OWN; i++)
		OPENSSL_free(own[i]);
}

static int
put_row(struct import *im, const struct stream_in *s, const struct candidate *p,
    int64_t id, const struct store_key *key, struct reason *w)
{
	struct store_row row;
	char *own[OWN];
	int rc;

	memset(&row, 0, sizeof(row));
	seen_of(s, &row.seen, own);
	row.cert = p->cert;
	row.requester = im->requester;
	row.caller = im->caller;
	row.disposition = p->own ? DISP_ISSUED : DISP_FOREIGN;
	row.id = id;
	rc = store_put_row(im->db, &row, key, w);
	free_own(own);
	return rc;
}

static int
outcome(struct result *o, enum result_status status, const char *reason)
{
	o->status = status;
	o->reason = reason;
	return 1;
}

/* Adds a row for a new certificate.  Returns 1, or 0 with *w. */
static int
import_new(struct import *im, const struct stream_in *s,
    const struct candidate *p, struct result *o, struct reason *w)
{
	struct store_key k = { .blob = NULL };
	int ok;

	if ((ok = names_ok(&s->rec, w) ? new_ok(im, p, w) : 0) != 1)
		return ok == 0 && outcome(o, RESULT_REFUSED, w->detail);
	(void)outcome(o, RESULT_IMPORTED, "");
	ok = store_next_id(im->db, &o->id, w) &&
	    (!p->has_key || lock_key(im, o->id, p, &k, w)) &&
	    put_row(im, s, p, o->id, p->has_key ? &k : NULL, w);
	OPENSSL_free((uint8_t *)(uintptr_t)k.blob);
	o->hashes = (char *)(uintptr_t)k.hashes;
	return ok;
}

/* Adds the key of a row that has none.  Returns 1, or 0 with *w. */
static int
import_key(struct import *im, const struct candidate *p, struct result *o,
    struct reason *w)
{
	struct store_key k = { .blob = NULL };
	int ok;

	ok = lock_key(im, o->id, p, &k, w) &&
	    store_put_key(im->db, o->id, &k, w);
	OPENSSL_free((uint8_t *)(uintptr_t)k.blob);
	o->hashes = (char *)(uintptr_t)k.hashes;
	return ok;
}

/* Handles a certificate whose row is there.  Returns 1, or 0 with *w. */
static int
import_again(struct import *im, const struct stream_in *s,
    const struct candidate *p, const struct store_known *k, struct result *o,
    struct reason *w)
{
	int new_key = p->has_key && !k->has_key, rc;
	struct store_name n = { .row = k->id, .replaces = NAME_NONE };
	char *own[OWN];

	(void)outcome(o, new_key ? RESULT_UPDATED : RESULT_PRESENT, "");
	w->detail[0] = '\0';
	seen_of(s, &n.seen, own);
	rc = !new_key || import_key(im, p, o, w);
	if (rc && names_ok(&s->rec, w))
		rc = naming_add(im->db, k, &n, p->has_key, new_key, &o->named,
		    w);
	if (rc && o->named && p->has_key)
		rc = store_fault_cure_name(im->db, &n, w);
	o->reason = w->detail;
	free_own(own);
	return rc;
}

/* Takes a key that present agents can open; with -D, drops older versions. */
static int
import_drop(struct import *im, int64_t written, struct result *o,
    struct reason *w)
{
	unsigned dropped = 0, kept = 0;

	/* what this run encrypted nobody has opened yet */
	if (im->drop && written < im->db->first &&
	    !store_version_drop(im->db, o->id, written, &dropped, &kept, w))
		return 0;
	im->dropped += dropped;
	return outcome(o, RESULT_PRESENT,
	    kept == 0 ? "" :
			"an older version stays, which kms2ca 0.2 or before "
			"wrote: without it its audit row cannot be checked");
}

/*
 * Encrypts a key of the archive to the present agents.  Returns 1, or 0 with
 * *w.
 */
static int
import_rekey(struct import *im, const struct candidate *p, struct result *o,
    struct reason *w)
{
	struct store_key k = { .blob = NULL };
	struct text hashes;
	int64_t audit;
	int ok, same;

	ok = lock_key(im, o->id, p, &k, w) &&
	    store_version_of(im->db, o->id, &hashes, &audit, w) == 1;
	same = ok && strlen(k.hashes) == hashes.n &&
	    memcmp(k.hashes, hashes.s, hashes.n) == 0;
	if (ok && !same) {
		(void)outcome(o, RESULT_UPDATED, "");
		ok = store_version_add(im->db, o->id, &k, w) != -1;
		o->hashes = (char *)(uintptr_t)k.hashes;
	} else {
		ok = ok && import_drop(im, audit, o, w);
		free((char *)(uintptr_t)k.hashes);
	}
	OPENSSL_free((uint8_t *)(uintptr_t)k.blob);
	return ok;
}

/* Takes a good certificate, with or without key.  Returns 1, or 0 with *w. */
static int
import_cert(struct import *im, const struct stream_in *s,
    const struct candidate *p, struct result *o, struct reason *w)
{
	const struct store_known *k;
	int there = store_find(im->db, p->cert->sha256, &k, w);

	if (there == -1)
		return 0;
	if (there)
		o->id = k->id;
	if (im->rekey && !p->has_key)
		return outcome(o, RESULT_IGNORED, "a certificate alone");
	if (im->rekey && (!there || !k->has_key))
		return outcome(o, RESULT_REFUSED,
		    there ? "its row has no key: import it without -E" :
			    "no row has it: import it without -E");
	if (im->rekey)
		return import_rekey(im, p, o, w);
	if ((!there || (p->has_key && !k->has_key)) && !p->own &&
	    !foreign_ok(im, w))
		return outcome(o, RESULT_REFUSED, w->detail);
	return there ? import_again(im, s, p, k, o, w) :
		       import_new(im, s, p, o, w);
}

/* Stores a fault.  Returns 1, or 0 with *w. */
static int
import_fault(struct import *im, const struct stream_in *s, struct result *o,
    struct reason *w)
{
	static const char *const label[] = { "source", "reason", "detail",
		"group", "user" };
	struct store_fault f = { .stream = s->id };
	struct text *const t[] = { &f.source, &f.reason, &f.detail, &f.group,
		&f.user };
	char *own[5];
	int i, rc = 1;

	if (!names_ok(&s->rec, w))
		return outcome(o, RESULT_REFUSED, w->detail);
	for (i = 0; i < 5; i++)
		*t[i] = rec_text_own(&s->rec, label[i], &own[i]);
	if (!im->rekey)
		rc = store_fault_add(im->db, &f, w) != -1;
	if (asprintf(&o->text, "%s%s%s", f.source.s,
		f.source.n == 0 ? "" : ": ", f.detail.s) == -1)
		heap_nomem();
	for (i = 0; i < 5; i++)
		OPENSSL_free(own[i]);
	return rc && outcome(o, RESULT_FAULT, o->text);
}

int
import_row(struct import *im, const struct stream_in *s,
    const struct candidate *p, struct result *o, struct reason *w)
{
	const struct cert *c = p->cert;

	memset(o, 0, sizeof(*o));
	if (!p->ok)
		return outcome(o, RESULT_REFUSED, p->why.detail);
	if (rec_is(&s->rec, "fault"))
		return import_fault(im, s, o, w);
	if (c == NULL)
		return outcome(o, RESULT_IGNORED,
		    "not a record of keys or certificates");
	if (c->ca && !p->has_key)
		return outcome(o, RESULT_IGNORED,
		    "certificate of a CA: only those of users are archived");
	if (strcmp(c->use, "sign") == 0)
		return outcome(o, RESULT_IGNORED,
		    "signing certificate: only encryption keys are archived");
	return import_cert(im, s, p, o, w);
}
