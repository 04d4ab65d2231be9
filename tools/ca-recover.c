/* ca-recover(1): opens archived keys with the key of one of their agents. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/blob_open.h"
#include "ca/getkey_file.h"
#include "export/owner.h"
#include "file/cred.h"
#include "key/cert.h"
#include "proof/input.h"
#include "proof/verdict.h"
#include "record/stream_read.h"
#include "record/stream_write.h"

static const char usage[] = "[-PqrVv] [-C cert]... -k cred [-p secret]...";

struct recover {
	struct input in;
	struct stream_out out; /* keys, or */
	struct rec_out *verdicts; /* with -r */
	int status;
	int rows; /* some `archived' record came */
	/* keys that were opened, that were not, and rows that have none */
	unsigned long long opened, shut, none;
};

/* Returns those whose signature counts; NULL without -C. */
static const struct trust *
trusted(const struct recover *rv)
{
	return rv->in.trusted.n > 0 ? &rv->in.trusted : NULL;
}

/*
 * Writes a recovered key.  r is the row it came from, or NULL.  With -C the row
 * does not tell the owner, since nobody has signed that.
 */
static void
put(struct recover *rv, const struct rec *r, struct cert *c, uint8_t *p8,
    size_t n)
{
	static const char *const labels[] = { "group", "user", "mail", "guid" };
	struct text none = { NULL, 0 }, *dst[4];
	char *own[4] = { NULL }, source[64] = "stdin", *id;
	struct stream_rec e;
	int i;

	memset(&e, 0, sizeof(e));
	owner_cert(&e, c, none);
	e.guid.s = "";
	e.cert = c;
	e.key = p8;
	e.keylen = n;
	dst[0] = &e.group;
	dst[1] = &e.user;
	dst[2] = &e.mail;
	dst[3] = &e.guid;
	for (i = 0; r != NULL && trusted(rv) == NULL && i < 4; i++)
		if ((own[i] = rec_text(r, labels[i], &dst[i]->n)) != NULL)
			dst[i]->s = own[i];
	if (r != NULL && (id = rec_text(r, "id", NULL)) != NULL) {
		(void)snprintf(source, sizeof(source), "request %s", id);
		OPENSSL_free(id);
	}
	e.source.s = source;
	e.source.n = strlen(source);
	if (stream_put(&rv->out, &e))
		rv->opened++;
	else
		rv->status = 1;
	for (i = 0; i < 4; i++)
		OPENSSL_free(own[i]);
	OPENSSL_secure_clear_free(p8, n);
	cert_free(c);
}

/* Counts a key that did not open; with none set it is no failure. */
static void
failed(struct recover *rv, int none)
{
	if (none)
		rv->none++;
	else {
		rv->shut++;
		rv->status = 1;
	}
}

/* Handles a certificate alone: its key was never archived. */
static int
no_key(const struct reason *w)
{
	return strcmp(w->reason, "none") == 0;
}

/* Returns 1 if the row has no key, or none that it says this agent can open. */
static int
not_his(const struct rec *r, const char *sha1, const struct reason *w)
{
	const struct rec_field *kra = rec_get0(r, "kra");

	return no_key(w) ||
	    (strcmp(w->reason, "recipient") == 0 && kra != NULL &&
		memmem(kra->val, kra->vlen, sha1, strlen(sha1)) == NULL);
}

/* Says why the row at hand does not open, and who could open it. */
static void
say(const struct stream_in *s, const struct reason *w)
{
	const struct rec_field *kra = rec_get0(&s->rec, "kra");

	if (strcmp(w->reason, "recipient") == 0 && kra != NULL && kra->vlen > 0)
		input_say(s, "%s: it is encrypted to %.*s", w->detail,
		    (int)(kra->vlen > 1024 ? 1024 : kra->vlen), kra->val);
	else
		input_say(s, "%s", w->detail);
}

/* Writes the key of the row at hand. */
static void
row(struct recover *rv)
{
	const struct stream_in *s = rv->in.stream;
	struct cert *c;
	struct reason w;
	uint8_t *p8;
	size_t n;

	if (blob_open_row(&rv->in.k, trusted(rv), &s->rec, &p8, &n, &c, &w)) {
		put(rv, &s->rec, c, p8, n);
		return;
	}
	failed(rv, no_key(&w));
	say(s, &w);
}

/* Writes the verdict on a row's key: whether an agent of -k opens it. */
static void
judge(struct recover *rv, const struct trust_pair *agent)
{
	const struct stream_in *s = rv->in.stream;
	const struct trust k = { (struct trust_pair *)(uintptr_t)agent, 1, 1 };
	struct verdict v = { s->n, "ok", "", NULL };
	char sha1[41];
	struct cert *c;
	struct reason w;
	uint8_t *p8;
	size_t n;
	int none;

	v.kra = encode_hex(sha1, agent->sha1, sizeof(agent->sha1));
	if (blob_open_row(&k, trusted(rv), &s->rec, &p8, &n, &c, &w)) {
		OPENSSL_secure_clear_free(p8, n);
		cert_free(c);
		rv->opened++;
	} else {
		none = not_his(&s->rec, sha1, &w);
		v.status = none ? "none" : "bad";
		v.reason = w.detail;
		failed(rv, none);
		say(s, &w);
	}
	verdict_put(rv->verdicts, &s->rec, &v);
}

/* Handles an `archived' record. */
static void
record(struct recover *rv)
{
	size_t i;

	if (!rec_is(&rv->in.stream->rec, "archived"))
		return;
	rv->rows = 1;
	if (rv->verdicts == NULL)
		row(rv);
	for (i = 0; rv->verdicts != NULL && i < rv->in.k.nkeys; i++)
		judge(rv, &rv->in.k.v[i]);
}

/* Handles a recovery blob in DER. */
static void
blob(void *arg, const uint8_t *der, size_t len)
{
	struct recover *rv = arg;
	uint8_t *p8;
	struct cert *c;
	struct reason w;
	size_t n;

	if (blob_open_signed(&rv->in.k, trusted(rv), der, len, &p8, &n, &c,
		&w)) {
		put(rv, NULL, c, p8, n);
		return;
	}
	failed(rv, no_key(&w));
	msg_record("stdin: %s", w.detail);
}

/* Reads the output of certutil -getkey. */
static void
windows(struct recover *rv)
{
	uint8_t *raw;
	struct reason w;
	size_t n;
	int rc;

	if ((raw = rec_in_rest(rv->in.in, CRED_FILE_MAX, &n, &w)) == NULL)
		msg_die("stdin: %s", w.detail);
	if (n == 0)
		msg_die("stdin: empty input: expected archived records or a "
			"recovery blob");
	if ((rc = getkey_file_each(raw, n, blob, rv)) < 0) {
		rv->status = 1;
		msg_record("stdin: PEM block %d is damaged", -rc);
	}
	OPENSSL_free(raw);
}

/* Ends the output, and prints what was done. */
static void
finish(struct recover *rv)
{
	int verdicts = rv->verdicts != NULL;
	struct reason w;

	if (rv->opened == 0)
		rv->status = 1;
	if (verdicts) {
		if (rec_close(rv->verdicts) == -1)
			tool_lost();
	} else if (!stream_close(&rv->out, &w))
		msg_die("%s", w.detail);
	rec_out_free(rv->verdicts);
	msg_warn("opened %llu, not opened %llu, %s %llu", rv->opened, rv->shut,
	    verdicts ? "no key for this agent" : "without an archived key",
	    rv->none);
}

int
main(int argc, char *argv[])
{
	struct recover rv;
	enum stream_event ev;
	int c, report = 0;

	tool_start();
	memset(&rv, 0, sizeof(rv));
	while ((c = tool_option(argc, argv, "C:k:Pp:r", usage)) != -1)
		if (c == 'r')
			report = 1;
		else
			input_option(&rv.in, c);
	if (rv.in.key == NULL)
		tool_misused(usage,
		    "-k cred is missing: the key of a recovery agent");
	tool_no_operand(argc, argv, usage);
	if (!report)
		tool_clear_keys();
	input_cred(&rv.in);
	input_open(&rv.in, NULL, NULL);
	if (report ? (rv.verdicts = rec_out_new(stdout)) == NULL :
		     !stream_out_plain(&rv.out, stdout))
		heap_nomem();
	sandbox_enter(NULL);

	if (rec_in_is_rec(rv.in.in)) {
		while ((ev = stream_next(rv.in.stream)) > STREAM_EOF)
			if (ev == STREAM_REC)
				record(&rv);
		if (ev == STREAM_BROKEN)
			input_broken(&rv.in);
		if (!rv.rows)
			msg_warn("no archived record in the input: expected "
				 "what ca-export writes");
	} else if (report)
		msg_die("stdin: not archived records: -r tells of rows of an "
			"archive");
	else
		windows(&rv);
	finish(&rv);

	input_close(&rv.in);
	return tool_end(rv.status);
}
