/* kms-verify(1): passes a stream on as far as it is proven. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "base/workers.h"
#include "key/cert.h"
#include "proof/input.h"
#include "proof/prove.h"
#include "proof/prove_many.h"
#include "proof/verdict.h"
#include "record/stream_read.h"
#include "record/write.h"

#define AHEAD 16 /* batches of records in hand of each process of -j */

static const char usage[] =
    "[-PqrVvw] [-C cert]... [-j jobs] [-k cred] [-p secret]...";

struct verify {
	struct input in;
	struct prove_many *prover; /* of in */
	const struct stream_in *stream; /* what it gives */
	struct rec_out *out; /* verdicts, with -r */
	FILE *fp; /* where lines go; NULL with -r */
	int pinned, proven, hold, status;
	int dropped; /* in the stream at hand */
	unsigned long long keys, certs, faults, others, bad;
	char *signer; /* subject of who signed last, or NULL */
	int signers; /* how many in turn */
};

/* Writes the verdict on the record at hand. */
static void
verdict(struct verify *v, const char *status, const char *reason)
{
	const struct verdict it = { v->stream->n, status, reason, NULL };

	verdict_put(v->out, &v->stream->rec, &it);
}

/* Exits because output was lost, on stdout or in the file that waits. */
static void
lost(const struct verify *v)
{
	if (v->hold)
		msg_die("cannot write the temporary file: %s (set TMPDIR)",
		    strerror(errno));
	tool_lost();
}

/* Passes the line at hand on. */
static void
pass(struct verify *v)
{
	const struct rec *r = &v->stream->rec;

	if (v->fp != NULL &&
	    (!rec_write(v->fp, r->line, r->len) || putc('\n', v->fp) == EOF))
		lost(v);
}

/* Prints why a record is dropped. */
static void
drop(struct verify *v, const struct reason *w)
{
	v->bad++;
	v->dropped = 1;
	v->status = 1;
	input_say(v->stream, "%s", w->detail);
	if (v->out != NULL)
		verdict(v, "bad", w->reason);
}

static int
proven(const struct stream_in *s, struct reason *w)
{
	struct cert *cert;
	int ok = prove_record(s, &cert, NULL, NULL, w);

	cert_free(cert);
	return ok;
}

/* Proves a record in another process, as a prove_many_work. */
static void
prove(void *ctx, const struct stream_in *s, struct wire *answer)
{
	struct reason w;
	int ok = proven(s, &w);

	(void)ctx;
	prove_many_say(answer, ok, &w);
}

/* Counts a proven record. */
static void
count(struct verify *v)
{
	const struct rec *r = &v->stream->rec;

	++*(rec_is(r, "key")	   ? &v->keys :
		rec_is(r, "cert")  ? &v->certs :
		rec_is(r, "fault") ? &v->faults :
				     &v->others);
}

static void
record(struct verify *v, struct wire *answer)
{
	struct reason w;

	if (v->hold && !v->stream->sealed)
		msg_die("stdin:%llu: -w keeps sealed streams only: a plain one "
			"would leave clear keys on the disk",
		    v->stream->rec.lineno);
	if (!v->stream->sealed && v->stream->key != NULL && v->fp != NULL)
		tool_clear_keys();
	if (answer != NULL ? !prove_many_said(answer, &w) :
			     !proven(v->stream, &w)) {
		drop(v, &w);
		return;
	}
	count(v);
	if (v->out != NULL && rec_is(&v->stream->rec, "fault"))
		verdict(v, "fault", NULL);
	else if (v->out != NULL)
		verdict(v, "ok", "");
	pass(v);
}

/* Remembers who signed. */
static void
note_signer(struct verify *v, const char *subject)
{
	if (v->signer != NULL && strcmp(v->signer, subject) == 0)
		return;
	free(v->signer);
	if ((v->signer = strdup(subject)) == NULL)
		heap_nomem();
	v->signers++;
}

/* Passes the head on, and prints who signed if nobody was pinned. */
static void
head(struct verify *v)
{
	struct cert *c;
	char hex[65];
	struct reason w;

	v->dropped = 0;
	pass(v);
	if (!cert_of_x509(&c, v->stream->signer, &w))
		return;
	note_signer(v, c->subject);
	if (!v->pinned)
		msg_warn("signed by %s, SHA-256 %s", c->subject,
		    encode_hex(hex, c->sha256, sizeof(c->sha256)));
	cert_free(c);
}

/* Prints what was done, in a line. */
static void
summary(const struct verify *v)
{
	msg_warn("keys %llu, certificates %llu, faults %llu, others %llu, "
		 "dropped %llu, %s%s",
	    v->keys, v->certs, v->faults, v->others, v->bad,
	    v->signers == 0	? "not signed" :
		v->signers == 1 ? "signed by " :
				  "signed by several",
	    v->signers == 1 ? v->signer : "");
}

/* Handles an event.  Returns 0 at the end of the input. */
static int
event(struct verify *v)
{
	struct wire *answer;

	switch (prove_many_next(v->prover, &v->stream, &answer)) {
	case STREAM_EOF:
		return 0;
	case STREAM_HEAD:
		head(v);
		break;
	case STREAM_REC:
		record(v, answer);
		break;
	case STREAM_BAD:
		drop(v, &v->stream->why);
		break;
	case STREAM_END:
		/* what has lost a record is a part, and says so */
		if (!v->dropped)
			pass(v);
		v->dropped = 0;
		break;
	case STREAM_BROKEN:
		input_broken(&v->in);
	}
	return 1;
}

/* Copies what was held back to stdout, now that all of it is proven. */
static void
release(const struct verify *v)
{
	char buf[64 * 1024];
	size_t n;

	/* rewind() would forget that the last bytes were not written */
	if (fflush(v->fp) == EOF || fseek(v->fp, 0, SEEK_SET) == -1)
		lost(v);
	while ((n = fread(buf, 1, sizeof(buf), v->fp)) > 0)
		if (!rec_write(stdout, buf, n))
			tool_lost();
	if (ferror(v->fp))
		msg_die("cannot read the temporary file: %s", strerror(errno));
	(void)fclose(v->fp);
}

/* Opens the file in which sealed lines wait with -w. */
static FILE *
hold_back(void)
{
	FILE *fp = fdopen(tool_tmpfile(), "w+");

	if (fp == NULL)
		heap_nomem();
	return fp;
}

int
main(int argc, char *argv[])
{
	struct verify v;
	unsigned jobs = workers_processors();
	int c, report = 0;

	tool_start();
	memset(&v, 0, sizeof(v));
	while ((c = tool_option(argc, argv, "C:j:k:Pp:rw", usage)) != -1)
		if (c == 'r')
			report = 1;
		else if (c == 'w')
			v.hold = 1;
		else if (c == 'j')
			workers_jobs(optarg, &jobs);
		else
			input_option(&v.in, c);
	if (v.hold && report)
		tool_misused(usage,
		    "-w holds records back, and -r writes none: only one of them");
	tool_no_operand(argc, argv, usage);
	input_cred(&v.in);
	v.pinned = v.in.k.n + v.in.trusted.n > 0;
	/* what shows that the records of a part are right is their seals */
	v.proven = v.in.k.n > 0 || (v.pinned && !v.in.part);
	v.status = !v.proven;
	if (report && (v.out = rec_out_new(stdout)) == NULL)
		heap_nomem();
	v.fp = report ? NULL : v.hold ? hold_back() : stdout;
	input_open(&v.in, v.in.k.n > 0 ? &v.in.k : NULL,
	    v.in.trusted.n > 0 ? &v.in.trusted : NULL);
	v.prover = prove_many_new(v.in.in, v.in.stream, v.in.k.n > 0, jobs,
	    AHEAD, 0, prove, NULL);
	sandbox_enter(NULL);

	while (event(&v))
		continue;

	if (!v.pinned)
		msg_warn("consistent, but not proven: nobody was named to "
			 "trust (give -k or -C)");
	else if (!v.proven)
		msg_warn("consistent, but not proven: only -k opens the seals "
			 "that prove the records of a part");
	if (v.hold && v.status == 0)
		release(&v);
	if (report && rec_close(v.out) == -1)
		tool_lost();
	summary(&v);
	prove_many_free(v.prover);
	free(v.signer);
	input_close(&v.in);
	rec_out_free(v.out);
	return tool_end(v.status);
}
