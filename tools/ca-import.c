/* ca-import(1): proves keys, encrypts them to the KRAs, and archives them. */

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "base/workers.h"
#include "ca/agent.h"
#include "ca/import.h"
#include "ca/replica.h"
#include "key/cert.h"
#include "proof/input.h"
#include "proof/prove_many.h"
#include "store/store.h"

/* The processes of -j: who writes to the archive is one, and must not wait. */
#define AHEAD 64 /* batches in hand of each: it works during a commit */
#define NICE  8

static const char usage[] =
    "[-afnPqVv] [-C cert]... -d db [-j jobs] [-k cred] [-p secret]...\n"
    "\t[-R requester] [-t thumb]...";

/* One -t. */
struct pin {
	const char *thumb;
	int used; /* it is a KRA of the archive */
};

/* Names one KRA, and checks it against the CA, and the n pins if any. */
static int
show_kra(X509 *x, X509 *ca, struct pin *pin, size_t n, struct reason *w)
{
	struct trust_pair p;
	struct cert *c;
	struct reason bad;
	uint8_t *der = NULL;
	char hex[41];
	size_t t;
	int len = i2d_X509(x, &der), known = n == 0;

	if (len <= 0)
		heap_nomem();
	if (!cert_new(&c, der, (size_t)len, &bad)) {
		OPENSSL_free(der);
		return reason_set(w, "database",
		    "a KRA certificate of the archive: %s " STORE_ALTERED,
		    bad.detail);
	}
	memcpy(p.sha1, c->sha1, sizeof(p.sha1));
	memcpy(p.sha256, c->sha256, sizeof(p.sha256));
	msg_warn("KRA %s, SHA-1 %s", c->subject, encode_hex(hex, c->sha1, 20));
	if (!agent_check(x, ca, &bad))
		msg_warn("warning: KRA %s: %s", c->subject, bad.detail);
	for (t = 0; t < n; t++)
		if (trust_thumbprint(&p, pin[t].thumb))
			known = pin[t].used = 1;
	if (!known)
		reason_set(w, "kra",
		    "KRA %s is none of -t: nothing is imported", c->subject);
	cert_free(c);
	OPENSSL_free(der);
	return known;
}

/*
 * Names every KRA before anything is encrypted to it; with -t each must be
 * one of those typed, and each typed must be there.
 */
static int
show_kras(const struct import *im, struct pin *pin, size_t n, struct reason *w)
{
	size_t t;
	int i;

	for (i = 0; i < sk_X509_num(im->kras); i++)
		if (!show_kra(sk_X509_value(im->kras, i), im->ca, pin, n, w))
			return 0;
	for (t = 0; t < n; t++)
		if (!pin[t].used)
			return reason_set(w, "kra",
			    "-t %s: no KRA of the archive: nothing is "
			    "imported",
			    pin[t].thumb);
	return 1;
}

/* Proves a copy that is whole, against its own head.  0, or the exit status. */
static int
check_copy(struct import *im, int part)
{
	struct reason w;
	int rc;

	if (im->copy.last == 0)
		return 0;
	msg_warn("copied: audit rows %llu, settings %llu, agents %llu",
	    im->copy.events, im->copy.settings, im->copy.agents);
	if (part)
		return 0;
	rc = store_audit(im->db, im->copy.head, im->head, &w);
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
run(struct import *im, struct input *in, struct prove_many *p, int all)
{
	const struct stream_in *s;
	struct wire *answer;
	enum stream_event ev;
	struct reason w;
	int ok = 1;

	for (;;) {
		if (import_due(im, in->in, prove_many_busy(p)))
			ok = import_commit(im, &w);
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
			    import_record(im, s, ev == STREAM_BAD, answer, &w);
		if (!ok)
			break;
	}
	if (!ok || !import_commit(im, &w)) {
		store_rollback(im->db);
		msg_die("%s", w.detail);
	}
	return ev == STREAM_EOF;
}

static void
summary(const struct import *im)
{
	msg_warn("read %llu, imported %llu (keys %llu), updated %llu, "
		 "present %llu, ignored %llu, refused %llu, faults %llu%s",
	    im->read, im->imported, im->keys, im->updated, im->present,
	    im->ignored, im->refused, im->faults,
	    im->dry ? " (-n: nothing was written)" : "");
	if (*im->head != '\0')
		msg_warn("audit head: %s", im->head);
}

int
main(int argc, char *argv[])
{
	const char *path = NULL;
	struct pin *pin;
	struct import im;
	struct input in;
	struct prove_many *prover;
	unsigned jobs = workers_processors();
	struct reason w;
	size_t npins = 0;
	int c, whole, all = 0;

	tool_start();
	memset(&im, 0, sizeof(im));
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
			im.dry = 1;
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
	if (!store_new(&im.db, path, &w) ||
	    !store_open(im.db, STORE_WRITE, NULL, &w) || !import_start(&im, &w))
		msg_die("%s", w.detail);
	input_open(&in, in.k.n > 0 ? &in.k : NULL,
	    in.trusted.n > 0 ? &in.trusted : NULL);
	if (!import_side_by_side(&im))
		jobs = 1;
	prover = prove_many_new(in.in, in.stream, in.k.n > 0, jobs, AHEAD, NICE,
	    import_prove, &im);
	sandbox_enter(store_dir0(im.db));

	if (!show_kras(&im, pin, npins, &w))
		msg_die("%s", w.detail);
	whole = run(&im, &in, prover, all);
	summary(&im);
	if (!whole)
		input_broken(&in);
	if (import_end(&im) == -1)
		tool_lost();
	c = check_copy(&im, in.part) || im.refused > 0 ||
	    (im.read == 0 && im.copy.last == 0);

	store_close(im.db);
	import_free(&im);
	prove_many_free(prover);
	input_close(&in);
	free(pin);
	return tool_end(c);
}
