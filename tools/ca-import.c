/* ca-import(1): proves keys, encrypts them to the agents, and archives them. */

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

/* The processes of -j yield to the one that writes to the archive. */
#define AHEAD 64 /* batches in hand of each: it works during a commit */
#define NICE  8

#define REQUESTER_MAX 2048 /* bytes: [MS-CSRA] appendix B, <4> */

static const char usage[] =
    "[-DEfnPqVv] [-C cert]... -d db [-j jobs] [-k cred] [-p secret]...\n"
    "\t[-R requester] [-t thumb]...";

/* Returns 1, or 0 with *w if the record at hand stops the import. */
static int
wanted(const struct stream_in *s, enum stream_event ev, const struct input *in,
    struct reason *w)
{
	if (ev == STREAM_HEAD && in->k.n == 0)
		return reason_set(w, "usage",
		    "a sealed stream: -k must "
		    "name the credential that opens it");
	if (ev == STREAM_REC && replica_is(&s->rec))
		return reason_set(w, "usage",
		    "a record of an archive: ca-load makes a copy of that, "
		    "agents and settings too");
	return 1;
}

/* Reads to the end, or until the import stops.  Returns 1, or 0 with *w. */
static int
read_all(struct batch *b, struct input *in, struct prove_many *p,
    enum stream_event *ev, struct reason *w)
{
	const struct stream_in *s;
	struct wire *answer;

	for (;;) {
		if (batch_due(b, in->in, prove_many_busy(p)) &&
		    !batch_commit(b, w))
			return 0;
		*ev = prove_many_next(p, &s, &answer);
		if (*ev == STREAM_EOF || *ev == STREAM_BROKEN)
			return batch_commit(b, w);
		if (!wanted(s, *ev, in, w)) {
			b->line = s->rec.lineno;
			return 0;
		}
		if ((*ev == STREAM_REC || *ev == STREAM_BAD) &&
		    !batch_record(b, s, *ev == STREAM_BAD, answer, w))
			return 0;
	}
}

/*
 * Reads to the end, commits and prints what was done.  Exits 2 if the import
 * stops; earlier good records are committed unless the archive fails.
 */
static void
run(struct batch *b, struct input *in, struct prove_many *p)
{
	enum stream_event ev;
	struct reason w, last;
	int failed = !read_all(b, in, p, &ev, &w);
	int archive = failed && strcmp(w.reason, "database") == 0;

	if (failed && !archive && !batch_commit(b, &last)) {
		w = last;
		archive = 1;
	}
	store_rollback(b->import->db);
	if (!failed || *b->results->head != '\0')
		results_summary(b->results);
	if (failed && (archive || b->line == 0))
		msg_die("%s", w.detail);
	if (failed)
		msg_die("stdin:%llu: %s", b->line, w.detail);
	if (ev == STREAM_BROKEN)
		input_broken(in);
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
	int c;

	tool_start();
	tool_changes();
	memset(&im, 0, sizeof(im));
	memset(&results, 0, sizeof(results));
	memset(&batch, 0, sizeof(batch));
	memset(&in, 0, sizeof(in));
	if ((pin = calloc((size_t)argc, sizeof(*pin))) == NULL)
		heap_nomem();
	while (
	    (c = tool_option(argc, argv, "C:Dd:Efj:k:nPp:R:t:", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else if (c == 'D')
			im.drop = im.rekey = 1;
		else if (c == 'E')
			im.rekey = 1;
		else if (c == 'f')
			im.force = 1;
		else if (c == 'j')
			workers_jobs(optarg, &jobs);
		else if (c == 'n')
			results.dry = 1;
		else if (c == 'R' && strlen(optarg) > REQUESTER_MAX)
			msg_die("-R: %zu bytes, and RequesterName keeps %d",
			    strlen(optarg), REQUESTER_MAX);
		else if (c == 'R')
			im.requester = optarg;
		else if (c == 't' && !trust_whole_thumbprint(optarg))
			msg_die("-t %s: give all digits of the thumbprint: 40 "
				"(SHA-1) or 64 (SHA-256)",
			    optarg);
		else if (c == 't')
			pin[npins++].thumb = optarg;
		else
			input_option(&in, c);
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
	im.caller = tool_caller();
	if (im.requester == NULL)
		im.requester = im.caller;
	batch.import = &im;
	batch.results = &results;
	results_start(&results);
	if (!store_new(&im.db, path, &w) ||
	    !store_open(im.db, STORE_WRITE, NULL, &w) || !import_start(&im, &w))
		msg_die("%s", w.detail);
	/* no key or password is here while libpq connects */
	input_cred(&in);
	if (npins == 0)
		results.note = "agents not pinned: with -t THUMBPRINT of each, "
			       "nothing is encrypted to another";
	input_open(&in, in.k.n > 0 ? &in.k : NULL,
	    in.trusted.n > 0 ? &in.trusted : NULL);
	if (!import_apart(&im))
		jobs = 1;
	prover = prove_many_new(in.in, in.stream, in.k.n > 0, jobs, AHEAD, NICE,
	    import_work, &im);
	sandbox_enter(store_dir0(im.db));

	if (!agent_pins_check(pin, npins, im.db, im.agents, im.ca, &w))
		msg_die("%s", w.detail);
	run(&batch, &in, prover);
	results_end(&results);
	c = results.now.n[RESULT_REFUSED] > 0 || results.now.read == 0;

	store_close(im.db);
	import_free(&im);
	results_free(&results);
	prove_many_free(prover);
	input_close(&in);
	free(pin);
	return tool_end(c);
}
