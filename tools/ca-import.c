/* ca-import(1): proves keys, encrypts them to the KRAs, and archives them. */

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"
#include "db.h"
#include "import.h"
#include "input.h"
#include "kra.h"
#include "msg.h"
#include "sandbox.h"
#include "tool.h"

static const char usage[] = "[-fnPqVv] [-C cert]... -d db [-k cred] "
			    "[-p secret]... [-R requester]\n\t[-t thumb]...";

/*
 * Names every KRA before anything is encrypted to it; with -t each must be
 * one of those typed, and each typed must be there.
 */
static int
show_kras(const struct import *im, const char **thumb, size_t n, struct why *w)
{
	struct cred_pair p;
	struct why old;
	char name[256], hex[41];
	size_t t, used = 0;
	int i, known;

	for (i = 0; i < sk_X509_num(im->kras); i++) {
		p.cert = sk_X509_value(im->kras, i);
		X509_NAME_oneline(X509_get_subject_name(p.cert), name,
		    sizeof(name));
		if (!X509_digest(p.cert, EVP_sha1(), p.sha1, NULL) ||
		    !X509_digest(p.cert, EVP_sha256(), p.sha256, NULL))
			tool_nomem();
		msg_warn("KRA %s, SHA-1 %s", name, rec_hex(hex, p.sha1, 20));
		if (!kra_check(p.cert, NULL, &old))
			msg_warn("warning: KRA %s: %s", name, old.detail);
		for (t = 0, known = 0; t < n; t++)
			known |= cred_thumbprint(&p, thumb[t]);
		if (n > 0 && !known)
			return why_set(w, "kra",
			    "KRA %s is none of -t: nothing "
			    "is imported",
			    name);
		used += (size_t)known;
	}
	return used >= n ||
	    why_set(w, "kra",
		"a KRA of -t is not in the "
		"archive: nothing is imported");
}

/* Reads to the end.  Returns 1, or 0 when the stream is broken. */
static int
run(struct import *im, struct input *in)
{
	enum stream_event ev;
	struct why w;
	int ok = 1;

	for (;;) {
		if (import_due(im, in->in))
			ok = import_commit(im, &w);
		if (!ok)
			break;
		ev = stream_next(in->stream);
		if (ev == STREAM_EOF || ev == STREAM_BROKEN)
			break;
		if (ev == STREAM_HEAD && in->k.n == 0) {
			ok = why_set(&w, "usage",
			    "a sealed stream: -k must "
			    "name the credential that opens it");
			break;
		}
		if (ev == STREAM_REC || ev == STREAM_BAD)
			ok = import_record(im, in->stream, ev == STREAM_BAD,
			    &w);
		if (!ok)
			break;
	}
	if (!ok || !import_commit(im, &w)) {
		db_rollback(im->db);
		msg_die("%s", w.detail);
	}
	return ev == STREAM_EOF;
}

static void
summary(const struct import *im)
{
	msg_warn("read %llu, imported %llu, updated %llu, present %llu, "
		 "ignored %llu, refused %llu, faults %llu%s",
	    im->read, im->imported, im->updated, im->present, im->ignored,
	    im->refused, im->faults,
	    im->dry ? " (-n: nothing was written)" : "");
	if (*im->head != '\0')
		msg_warn("audit head: %s", im->head);
}

int
main(int argc, char *argv[])
{
	const char *path = NULL, **thumb;
	struct import im;
	struct input in;
	struct why w;
	size_t nthumb = 0;
	int c, whole;

	tool_start();
	memset(&im, 0, sizeof(im));
	memset(&in, 0, sizeof(in));
	if ((thumb = calloc((size_t)argc, sizeof(*thumb))) == NULL)
		tool_nomem();
	while ((c = getopt(argc, argv, "+C:d:fk:nPp:qR:t:Vv")) != -1)
		if (c == 'd')
			path = optarg;
		else if (c == 'f')
			im.force = 1;
		else if (c == 'n')
			im.dry = 1;
		else if (c == 'R')
			im.requester = optarg;
		else if (c == 't')
			thumb[nthumb++] = optarg;
		else if (!input_option(&in, c) && !tool_option(c))
			tool_usage(usage);
	if (path == NULL || optind != argc)
		tool_usage(usage);
	input_cred(&in);
	im.caller = tool_caller();
	if (im.requester == NULL)
		im.requester = im.caller;
	if (!db_open(&im.db, path, DB_WRITE, NULL, &w) ||
	    !import_start(&im, &w))
		msg_die("%s", w.detail);
	input_open(&in, in.k.n > 0 ? &in.k : NULL,
	    in.trusted.n > 0 ? &in.trusted : NULL);
	sandbox_enter(db_dir0(im.db));

	if (!show_kras(&im, thumb, nthumb, &w))
		msg_die("%s", w.detail);
	whole = run(&im, &in);
	summary(&im);
	if (!whole)
		input_broken(&in);
	if (import_end(&im) == -1)
		tool_lost();
	c = im.refused > 0 || im.read == 0;

	db_close(im.db);
	import_free(&im);
	input_close(&in);
	free(thumb);
	return tool_end(c);
}
