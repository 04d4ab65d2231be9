/* p12-pack(1): recovered keys in, PKCS#12 out, one or one a user. */

#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/bundle.h"
#include "key/cert.h"
#include "proof/input.h"
#include "proof/prove.h"

static const char usage[] = "[-lPqVv] [-F format] -p secret";

/* Packs the record at hand.  Returns 1, or 0 if it cannot be. */
static int
record(struct bundle *b, const struct stream_in *s)
{
	struct text group, user;
	char *group_own, *user_own;
	struct cert *c = NULL;
	struct reason w;
	int rc;

	if (rec_is(&s->rec, "fault"))
		input_say(s, "a fault: what it names is not in the output");
	if (!rec_is(&s->rec, "key") && !rec_is(&s->rec, "cert"))
		return 1;
	if (s->sealed)
		msg_die("stdin:%llu: a sealed stream: open it with ca-import, "
			"and recover from there",
		    s->rec.lineno);
	group.s = group_own = rec_text(&s->rec, "group", &group.n);
	user.s = user_own = rec_text(&s->rec, "user", &user.n);
	if (group.s == NULL || user.s == NULL)
		msg_die("stdin:%llu: group or user is not base64",
		    s->rec.lineno);
	rc = prove_record(s, &c, NULL, NULL, &w) &&
	    (c == NULL || cert_describe(c, &w));
	/* the record is good: that is no reason to go on without its key */
	if (rc && !bundle_add(b, group, user, c, s->key, s->keylen, &w))
		msg_die("stdin:%llu: record %llu: %s", s->rec.lineno, s->n,
		    w.detail);
	if (!rc)
		input_say(s, "%s", w.detail);
	cert_free(c);
	OPENSSL_free(group_own);
	OPENSSL_free(user_own);
	return rc;
}

/* A password that certutil cannot be given on a line of import.cmd. */
static int
is_awkward(const char *pass)
{
	size_t n = strlen(pass);

	return strchr(pass, '"') != NULL || strcmp(pass, "*") == 0 ||
	    (n > 0 && pass[n - 1] == '\\');
}

static void
parse(struct bundle *b, struct input *in, int argc, char *argv[])
{
	int c;

	in->secrets.twice = 1;
	while ((c = getopt(argc, argv, "+:F:lPp:qVv")) != -1)
		if (c == 'F')
			b->format = optarg;
		else if (c == 'l')
			b->legacy = 1;
		else if (!input_option(in, c) && !tool_option(c))
			tool_usage(usage);
	if (optind != argc || in->secrets.n == 0)
		tool_usage(usage);
	if (in->secrets.n != 1)
		msg_die("-p: exactly one password is needed to write, not %zu",
		    in->secrets.n);
	if (b->format != NULL && strcmp(b->format, "tar") != 0 &&
	    strcmp(b->format, "zip") != 0)
		msg_die("-F %s: not tar or zip", b->format);
	b->pass = in->secrets.v[0];
	if (b->format != NULL && is_awkward(b->pass))
		msg_warn("warning: import.cmd cannot give certutil a password "
			 "that is *, has \" in it or ends in \\: take another");
}

int
main(int argc, char *argv[])
{
	struct bundle b;
	struct input in;
	enum stream_event ev;
	struct reason w;
	int status = 0;

	tool_start();
	memset(&b, 0, sizeof(b));
	memset(&in, 0, sizeof(in));
	parse(&b, &in, argc, argv);
	tool_no_terminal("binary data");
	input_open(&in, NULL, NULL);
	sandbox_enter(NULL);

	while ((ev = stream_next(in.stream)) > STREAM_EOF)
		if (ev == STREAM_REC && !record(&b, in.stream))
			status = 1;
	if (ev == STREAM_BROKEN)
		input_broken(&in);
	if (b.keys == 0) {
		msg_warn("no key in the input: nothing is written");
		status = 1;
	} else if (!bundle_write(&b, &w))
		msg_die("%s", w.detail);
	if (b.mixed)
		msg_warn("warning: keys of more than one user are in one file: "
			 "select by group or mail, or take -F tar");
	msg_verbose("files %zu, keys %llu", b.nfiles, b.keys);

	bundle_free(&b);
	input_close(&in);
	return tool_end(status);
}
