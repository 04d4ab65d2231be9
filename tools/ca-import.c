/* ca-import(1): proves keys, encrypts them to the KRAs, and archives them. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "base/workers.h"
#include "ca/agent_pins.h"
#include "ca/batch.h"
#include "ca/import.h"
#include "ca/replica.h"
#include "ca/result.h"
#include "proof/input.h"
#include "proof/prove_many.h"
#include "store/store.h"

/* The processes of -j: who writes to the archive is one, and must not wait. */
#define AHEAD 64 /* batches in hand of each: it works during a commit */
#define NICE  8

static const char usage[] =
    "[-afnPqVv] [-C cert]... -d db [-j jobs] [-k cred] [-p secret]...\n"
    "\t[-R requester] [-t thumb]...";

/* Proves a copy that is whole, against its own head.  0, or the exit status. */
static int
check_copy(struct batch *b, int part)
{
	const struct replica *copy = &b->copy;
	struct reason w;
	int rc;

	if (copy->last == 0)
		return 0;
	msg_warn("copied: audit rows %llu, settings %llu, agents %llu",
	    copy->ncommits, copy->nsettings, copy->nagents);
	if (part)
		return 0;
	rc = store_audit(b->import->db, copy->head, b->head, &w);
	if (rc == -1)
		msg_die("%s", w.detail);
	if (rc == 0)
		msg_warn("audit: %s", w.detail);
	return rc == 0;
}

/*
 * A copy brings agents and settings along: who may only bring keys must not get
 * one in.  Returns 1, or 0 with *w.
 */
static int
wanted(const struct stream_in *s, int all, struct reason *w)
{
	if (replica_is(&s->rec) == all)
		return 1;
	return reason_set(w, "usage",
	    all ? "-a: not a record of an archive: import it when the copy is "
		  "whole" :
		  "a record of an archive: with -a, this one becomes a copy of "
		  "that, agents and settings too");
}

/* Reads to the end.  Returns 1, or 0 when the stream is broken. */
static int
run(struct batch *b, struct input *in, struct prove_many *p, int all)
{
	const struct stream_in *s;
	struct wire *answer;
	enum stream_event ev;
	struct reason w;
	int ok = 1;

	for (;;) {
		if (batch_due(b, in->in, prove_many_busy(p)))
			ok = batch_commit(b, &w);
		if (!ok)
			break;
		ev = prove_many_next(p, &s, &answer);
		if (ev == STREAM_EOF || ev == STREAM_BROKEN)
			break;
		if (ev == STREAM_HEAD && in->k.n == 0) {
			ok = reason_set(&w, "usage",
			    "a sealed stream: -k must "
			    "name the credential that opens it");
			break;
		}
		if (ev == STREAM_REC || ev == STREAM_BAD)
			ok = wanted(s, all, &w) &&
			    batch_record(b, s, ev == STREAM_BAD, answer, &w);
		if (!ok)
			break;
	}
	if (!ok || !batch_commit(b, &w)) {
		store_rollback(b->import->db);
		msg_die("%s", w.detail);
	}
	return ev == STREAM_EOF;
}

static void
summary(const struct batch *b)
{
	const struct results *rs = b->results;
	const unsigned long long *n = rs->n;

	msg_warn("read %llu, imported %llu (keys %llu), updated %llu, "
		 "present %llu, ignored %llu, refused %llu, faults %llu%s",
	    rs->read, n[RESULT_IMPORTED], rs->keys, n[RESULT_UPDATED],
	    n[RESULT_PRESENT], n[RESULT_IGNORED], n[RESULT_REFUSED],
	    n[RESULT_FAULT], rs->dry ? " (-n: nothing was written)" : "");
	if (*b->head != '\0')
		msg_warn("audit head: %s", b->head);
}

int
main(int argc, char *argv[])
{
	const char *path = NULL;
	struct agent_pin *pin;
	struct import im;
	struct results results;
	struct batch batch;
	struct input in;
	struct prove_many *prover;
	unsigned jobs = workers_processors();
	struct reason w;
	size_t npins = 0;
	int c, whole, all = 0;

	tool_start();
	memset(&im, 0, sizeof(im));
	memset(&results, 0, sizeof(results));
	memset(&batch, 0, sizeof(batch));
	memset(&in, 0, sizeof(in));
	if ((pin = calloc((size_t)argc, sizeof(*pin))) == NULL)
		heap_nomem();
	while ((c = getopt(argc, argv, "+:aC:d:fj:k:nPp:qR:t:Vv")) != -1)
		if (c == 'a')
			all = 1;
		else if (c == 'd')
			path = optarg;
		else if (c == 'f')
			im.force = 1;
		else if (c == 'j')
			workers_jobs(optarg, &jobs);
		else if (c == 'n')
			results.dry = 1;
		else if (c == 'R')
			im.requester = optarg;
		else if (c == 't' && !trust_whole_thumbprint(optarg))
			msg_die("-t %s: not all digits of a thumbprint: 40 of "
				"SHA-1, or 64 of SHA-256",
			    optarg);
		else if (c == 't')
			pin[npins++].thumb = optarg;
		else if (!input_option(&in, c) && !tool_option(c))
			tool_usage(usage);
	/* -k and -C are about sealed streams, -f and -t about each key */
	if (path == NULL || optind != argc ||
	    (all && (in.key != NULL || in.nsigners + npins > 0 || im.force)))
		tool_usage(usage);
	input_cred(&in);
	im.caller = tool_caller();
	if (im.requester == NULL)
		im.requester = im.caller;
	batch.import = &im;
	batch.results = &results;
	results_start(&results);
	if (!store_new(&im.db, path, &w) ||
	    !store_open(im.db, STORE_WRITE, NULL, &w) || !import_start(&im, &w))
		msg_die("%s", w.detail);
	input_open(&in, in.k.n > 0 ? &in.k : NULL,
	    in.trusted.n > 0 ? &in.trusted : NULL);
	if (!import_apart(&im))
		jobs = 1;
	prover = prove_many_new(in.in, in.stream, in.k.n > 0, jobs, AHEAD, NICE,
	    import_work, &im);
	sandbox_enter(store_dir0(im.db));

	if (!agent_pins_check(pin, npins, im.agents, im.ca, &w))
		msg_die("%s", w.detail);
	whole = run(&batch, &in, prover, all);
	summary(&batch);
	if (!whole)
		input_broken(&in);
	results_end(&results);
	c = check_copy(&batch, in.part) || results.n[RESULT_REFUSED] > 0 ||
	    (results.read == 0 && batch.copy.last == 0);

	store_close(im.db);
	import_free(&im);
	replica_free(&batch.copy);
	results_free(&results);
	prove_many_free(prover);
	input_close(&in);
	free(pin);
	return tool_end(c);
}
