#include "ca/batch.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "ca/hresult.h"

#define SOME	200 /* records are enough where the next one is not there yet */
#define IDLE_MS 50 /* a commit waits this long for a record */
#define AGE_MS	800 /* the age of a batch: results come within a second */

/* A record that waits to meet the archive. */
struct held {
	struct stream_in s; /* its rec points into line */
	struct wire line;
	struct candidate p;
};

static void
held_free(struct held *h)
{
	OPENSSL_clear_free(h->line.p, h->line.size);
	candidate_free(&h->p);
	free(h);
}

/* Starts the clock at the first record of a batch. */
static void
start_clock(struct batch *b)
{
	if (!b->open && b->nheld == 0)
		(void)clock_gettime(CLOCK_MONOTONIC, &b->since);
}

static int
begin(struct batch *b, struct reason *w)
{
	if (b->open)
		return 1;
	if (sk_X509_num(b->import->agents) == 0)
		return reason_set(w, "kra",
		    "the archive has no KRA: store one "
		    "with ca-init" HR_NOT_CONFIGURED);
	start_clock(b);
	if (!store_begin(b->import->db, w))
		return 0;
	b->open = import_settings(b->import, w);
	if (!b->open)
		store_rollback(b->import->db);
	return b->open;
}

/* Writes the row of a candidate.  Returns 1, or 0 with *w. */
static int
settle(struct batch *b, const struct stream_in *s, const struct candidate *p,
    struct reason *w)
{
	struct result o;
	int rc;

	b->line = s->rec.lineno;
	rc = import_row(b->import, s, p, &o, w);
	if (rc)
		results_add(b->results, s, &o);
	result_free(&o);
	return rc;
}

static void
hold(struct batch *b, const struct stream_in *s, int bad, struct wire *answer)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		heap_nomem();
	start_clock(b);
	h->s = *s;
	h->s.key = NULL;
	rec_pack(&s->rec, &h->line);
	b->size += h->line.at;
	h->line.at = 0;
	rec_unpack(&h->s.rec, &h->line);
	import_candidate(b->import, s, bad, answer, &h->p);
	b->held[b->nheld++] = h;
}

/* Takes the held records to the archive.  Returns 1, or 0 with *w. */
static int
settle_held(struct batch *b, struct reason *w)
{
	uint8_t sha256[BATCH_RECORDS][32];
	size_t i, n = 0;
	int rc;

	if (b->nheld == 0)
		return 1;
	for (i = 0; i < b->nheld; i++)
		if (b->held[i]->p.cert != NULL)
			memcpy(sha256[n++], b->held[i]->p.cert->sha256, 32);
	rc = begin(b, w) && store_expect(b->import->db, sha256, n, w);
	for (i = 0; i < b->nheld; i++) {
		rc = rc && settle(b, &b->held[i]->s, &b->held[i]->p, w);
		held_free(b->held[i]);
	}
	b->nheld = b->size = 0;
	return rc;
}

/* Takes a record at once.  Returns 1, or 0 with *w. */
static int
take(struct batch *b, const struct stream_in *s, int bad, struct reason *w)
{
	struct candidate p;
	int rc;

	if (!settle_held(b, w))
		return 0;
	if (!begin(b, w))
		return 0;
	candidate_make(&p, s, bad, b->import->ca);
	rc = settle(b, s, &p, w);
	candidate_free(&p);
	return rc;
}

int
batch_record(struct batch *b, const struct stream_in *s, int bad,
    struct wire *answer, struct reason *w)
{
	if (s->sealed && import_apart(b->import))
		hold(b, s, bad, answer);
	else if (!take(b, s, bad, w))
		return 0;
	return (b->nheld < BATCH_RECORDS && b->size < BATCH_BYTES &&
		   b->results->waiting < BATCH_RECORDS) ||
	    batch_commit(b, w);
}

int
batch_due(const struct batch *b, struct rec_in *in, int busy)
{
	struct timespec t;
	int64_t age;

	if (!b->open && b->nheld == 0)
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	age = (int64_t)(t.tv_sec - b->since.tv_sec) * 1000 +
	    (t.tv_nsec - b->since.tv_nsec) / 1000000;
	return age >= AGE_MS ||
	    (!busy && !rec_in_ready(in, b->nheld < SOME ? IDLE_MS : 0));
}

int
batch_commit(struct batch *b, struct reason *w)
{
	const struct results *rs = b->results;
	const unsigned long long *n = rs->now.n;
	char detail[256];
	size_t len;

	if (!settle_held(b, w))
		return 0;
	if (!b->open)
		return 1;
	len = (size_t)snprintf(detail, sizeof(detail),
	    "results=%u read=%llu "
	    "imported=%llu updated=%llu present=%llu ignored=%llu "
	    "refused=%llu faults=%llu",
	    rs->waiting, rs->now.read, n[RESULT_IMPORTED], n[RESULT_UPDATED],
	    n[RESULT_PRESENT], n[RESULT_IGNORED], n[RESULT_REFUSED],
	    n[RESULT_FAULT]);
	if (b->import->dropped > 0)
		(void)snprintf(detail + len, sizeof(detail) - len,
		    " dropped=%u", b->import->dropped);
	if (rs->dry)
		store_rollback(b->import->db);
	else if (!store_fault_cure(b->import->db, w) ||
	    !store_commit(b->import->db, b->import->caller,
		b->import->rekey ? "rekey" : "import", detail, b->results->head,
		w))
		return 0;
	b->results->now.dropped += b->import->dropped;
	b->open = 0;
	results_release(b->results);
	return 1;
}
