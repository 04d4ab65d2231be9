/*
 * ca-load(1): makes a copy of the archive that ca-dump(1) wrote, or rows of
 * what edb-extract(1) wrote.
 */

#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/replica.h"
#include "ca/result.h"
#include "proof/input.h"
#include "store/store.h"

#define BATCH	 1000 /* results of one commit */
#define BATCH_CA 100000 /* of one of a CA's database */

static const char usage[] = "[-PqVv] -d db";

struct load {
	struct store *db;
	struct replica copy;
	struct results results;
	int open; /* a transaction is */
	const char *caller;
	char sha256[65]; /* of the stream, once it is at its end */
};

/* Commits rows of a CA's database, with a note of their origin. */
static int
commit_ca(struct load *l, struct reason *w)
{
	const struct results *rs = &l->results;
	const unsigned long long *n = rs->now.n;
	char detail[512];

	if (n[RESULT_IMPORTED] + n[RESULT_UPDATED] ==
	    rs->done.n[RESULT_IMPORTED] + rs->done.n[RESULT_UPDATED]) {
		store_rollback(l->db);
		return 1;
	}
	(void)snprintf(detail, sizeof(detail),
	    "results=%u read=%llu imported=%llu keys=%llu updated=%llu "
	    "present=%llu refused=%llu faults=%llu stream=%s issuer=%s",
	    rs->waiting, rs->now.read, n[RESULT_IMPORTED], rs->now.keys,
	    n[RESULT_UPDATED], n[RESULT_PRESENT], n[RESULT_REFUSED],
	    n[RESULT_FAULT], l->sha256, l->copy.issuer);
	return store_commit(l->db, l->caller, REPLICA_LOAD, detail,
	    l->results.head, w);
}

/* Commits, and writes the results.  Returns 1, or 0 with *w. */
static int
commit(struct load *l, struct reason *w)
{
	if (l->open &&
	    !(l->copy.adopts ? commit_ca(l, w) :
			       restore_end(l->db, l->results.head, w)))
		return 0;
	l->open = 0;
	results_release(&l->results);
	return 1;
}

/* Takes the record at hand.  Returns 1, or 0 with *w. */
static int
load(struct load *l, const struct stream_in *s, struct reason *w)
{
	static const enum result_status status[] = {
		[REPLICA_REFUSED] = RESULT_REFUSED,
		[REPLICA_PRESENT] = RESULT_PRESENT,
		[REPLICA_IMPORTED] = RESULT_IMPORTED,
		[REPLICA_UPDATED] = RESULT_UPDATED,
	};
	struct result o = { .reason = "" };
	enum replica_status rc;

	/* what its database has lost */
	if (rec_is(&s->rec, "fault") && l->copy.last == 0) {
		o.status = RESULT_FAULT;
		results_add(&l->results, s, &o);
		return 1;
	}
	if (!replica_is(&s->rec))
		return reason_set(w, "usage",
		    "not a record of an archive: expected what ca-dump or "
		    "edb-extract writes");
	if (!l->open && !(l->open = store_begin(l->db, w)))
		return 0;
	rc = replica_record(&l->copy, &s->rec, &o.id, &o.hashes, w);
	if (rc == REPLICA_STOP || rc == REPLICA_PART)
		return rc == REPLICA_PART;
	o.status = status[rc];
	if (rc == REPLICA_REFUSED)
		o.reason = w->detail;
	results_add(&l->results, s, &o);
	result_free(&o);
	return l->results.waiting < (l->copy.adopts ? BATCH_CA : BATCH) ||
	    commit(l, w);
}

/* Reads to the end, and prints what was done.  Exits 2 on failure. */
static void
run(struct load *l, struct input *in)
{
	struct stream_in *s = in->stream;
	const struct rec_field *sum;
	enum stream_event ev;
	struct reason w;
	int ok = 1;

	while (ok && (ev = stream_next(s)) > STREAM_EOF) {
		ok = ev != STREAM_REC || load(l, s, &w);
		if (ev == STREAM_END && (sum = rec_get0(&s->rec, "sha256")))
			(void)snprintf(l->sha256, sizeof(l->sha256), "%.*s",
			    (int)sum->vlen, sum->val);
	}
	/* of a CA all, or nothing */
	ok = ok && ((ev == STREAM_BROKEN && l->copy.adopts) || commit(l, &w));
	store_rollback(l->db);
	results_summary(&l->results);
	if (!ok && strcmp(w.reason, "database") == 0)
		msg_die("%s", w.detail);
	if (!ok)
		msg_die("stdin:%llu: %s", s->rec.lineno, w.detail);
	if (l->copy.nlater > 0)
		msg_warn("certificates of agents that the CA had: %llu: none "
			 "is an agent here until ca-init makes it one",
		    l->copy.nlater);
	if (!l->copy.adopts)
		msg_warn("loaded: audit rows %llu, settings %llu, agents %llu, "
			 "names %llu",
		    l->copy.ncommits, l->copy.nsettings, l->copy.nagents,
		    l->copy.nnames);
	if (ev == STREAM_BROKEN)
		input_broken(in);
}

static void
altered(void *ctx, const struct reason *w)
{
	(void)ctx;
	msg_warn("audit: %s", w->detail);
}

/* Proves a whole copy against its own head.  Returns 1 if it is right. */
static int
check(struct load *l)
{
	char now[AUDIT_HEAD_MAX];
	struct reason w;
	int rc = store_audit(l->db, l->copy.head, now, altered, NULL, &w);

	if (rc == -1)
		msg_die("%s", w.detail);
	return rc;
}

int
main(int argc, char *argv[])
{
	const char *path = NULL;
	struct input in;
	struct load l;
	struct reason w;
	int c;

	tool_start();
	tool_changes();
	memset(&in, 0, sizeof(in));
	memset(&l, 0, sizeof(l));
	while ((c = tool_option(argc, argv, "d:P", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else
			input_option(&in, c);
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
	if (!store_new(&l.db, path, &w) ||
	    !store_open(l.db, STORE_WRITE, NULL, &w))
		msg_die("%s", w.detail);
	l.copy.db = l.db;
	l.caller = tool_caller();
	l.copy.loads = TABLE_OF(int64_t, sizeof(int64_t), UINT32_MAX);
	results_start(&l.results);
	input_open(&in, NULL, NULL);
	sandbox_enter(store_dir0(l.db));

	run(&l, &in);
	results_end(&l.results);
	c = l.copy.adopts ? 0 : l.copy.last == 0 || (!in.part && !check(&l));
	c |= l.results.now.n[RESULT_REFUSED] > 0;

	store_close(l.db);
	replica_free(&l.copy);
	results_free(&l.results);
	input_close(&in);
	return tool_end(c);
}
