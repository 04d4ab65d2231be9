/* ca-load(1): what ca-dump(1) wrote becomes a copy of that archive. */

#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/replica.h"
#include "ca/result.h"
#include "proof/input.h"
#include "store/store.h"

#define BATCH 1000 /* results of one commit */

static const char usage[] = "[-PqVv] -d db";

struct load {
	struct store *db;
	struct replica copy;
	struct results results;
	int open; /* a transaction is */
};

/* Commits, and writes the results.  Returns 1, or 0 with *w. */
static int
commit(struct load *l, struct reason *w)
{
	if (l->open && !restore_end(l->db, l->results.head, w))
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

	if (!replica_is(&s->rec))
		return reason_set(w, "usage",
		    "not a record of an archive: expected what ca-dump writes");
	if (!l->open && !(l->open = store_begin(l->db, w)))
		return 0;
	rc = replica_record(&l->copy, &s->rec, &o.id, w);
	if (rc == REPLICA_STOP || rc == REPLICA_PART)
		return rc == REPLICA_PART;
	o.status = status[rc];
	if (rc == REPLICA_REFUSED)
		o.reason = w->detail;
	results_add(&l->results, s, &o);
	return l->results.waiting < BATCH || commit(l, w);
}

/* Reads to the end, and says what was done; exits 2 where that cannot be. */
static void
run(struct load *l, struct input *in)
{
	struct stream_in *s = in->stream;
	enum stream_event ev;
	struct reason w;
	int ok = 1;

	while (ok && (ev = stream_next(s)) > STREAM_EOF)
		ok = ev != STREAM_REC || load(l, s, &w);
	ok = ok && commit(l, &w);
	store_rollback(l->db);
	results_summary(&l->results);
	if (!ok && strcmp(w.reason, "database") == 0)
		msg_die("%s", w.detail);
	if (!ok)
		msg_die("stdin:%llu: %s", s->rec.lineno, w.detail);
	msg_warn("loaded: audit rows %llu, settings %llu, agents %llu",
	    l->copy.ncommits, l->copy.nsettings, l->copy.nagents);
	if (ev == STREAM_BROKEN)
		input_broken(in);
}

static void
altered(void *ctx, const struct reason *w)
{
	(void)ctx;
	msg_warn("audit: %s", w->detail);
}

/* Proves a copy that is whole against its own head.  Returns 1 if it is. */
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
	memset(&in, 0, sizeof(in));
	memset(&l, 0, sizeof(l));
	while ((c = tool_option(argc, argv, "d:P", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else
			(void)input_option(&in, c);
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
	if (!store_new(&l.db, path, &w) ||
	    !store_open(l.db, STORE_WRITE, NULL, &w))
		msg_die("%s", w.detail);
	l.copy.db = l.db;
	results_start(&l.results);
	input_open(&in, NULL, NULL);
	sandbox_enter(store_dir0(l.db));

	run(&l, &in);
	results_end(&l.results);
	c = l.copy.last == 0 || (!in.part && !check(&l)) ||
	    l.results.now.n[RESULT_REFUSED] > 0;

	store_close(l.db);
	replica_free(&l.copy);
	results_free(&l.results);
	input_close(&in);
	return tool_end(c);
}
