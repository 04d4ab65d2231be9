/* p12-pack(1): packs recovered keys as PKCS#12, one in all or one a user. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/bundle.h"
#include "key/cert.h"
#include "proof/input.h"
#include "proof/prove.h"

static const char usage[] = "[-flPqVv] [-F format] [-o file] [-p secret]";

/* Counts of records other than good keys. */
struct counts {
	unsigned long long certs, faults, bad;
};

/* Packs the record at hand.  Returns 1, or 0 on failure. */
static int
record(struct bundle *b, struct counts *n, const struct stream_in *s)
{
	struct stream_rec r;
	char *group, *user, *mail;
	struct cert *c = NULL;
	struct reason w;
	int rc;

	if (rec_is(&s->rec, "fault")) {
		n->faults++;
		input_say(s, "a fault: what it names is not in the output");
	}
	if (!rec_is(&s->rec, "key") && !rec_is(&s->rec, "cert"))
		return 1;
	if (s->sealed)
		msg_die("stdin:%llu: a sealed stream: open it with ca-import, "
			"and recover from there",
		    s->rec.lineno);
	memset(&r, 0, sizeof(r));
	r.group = rec_text_own(&s->rec, "group", &group);
	r.user = rec_text_own(&s->rec, "user", &user);
	r.mail = rec_text_own(&s->rec, "mail", &mail);
	if (group == NULL || user == NULL)
		msg_die("stdin:%llu: group or user is not base64",
		    s->rec.lineno);
	rc = prove_record(s, &c, NULL, NULL, &w);
	r.cert = c;
	r.key = s->key;
	r.keylen = s->keylen;
	/* the record is good: that is no reason to go on without its key */
	if (rc && !bundle_add(b, &r, &w))
		msg_die("stdin:%llu: record %llu: %s", s->rec.lineno, s->n,
		    w.detail);
	if (!rc)
		input_say(s, "%s", w.detail);
	n->bad += !rc;
	n->certs += rc && r.key == NULL;
	cert_free(c);
	OPENSSL_free(group);
	OPENSSL_free(user);
	OPENSSL_free(mail);
	return rc;
}

/* Returns 1 for a password that a line of import.cmd cannot give certutil. */
static int
is_awkward(const char *pass)
{
	size_t n = strlen(pass);

	return strchr(pass, '"') != NULL || strcmp(pass, "*") == 0 ||
	    (n > 0 && pass[n - 1] == '\\');
}

/* Opens the file for the passwords: a new one, which nobody else can read. */
static FILE *
passwords(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *fp;

	if (fd == -1)
		msg_die("-o %s: %s", path,
		    errno == EEXIST ? "it is there already: name a new file" :
				      strerror(errno));
	if ((fp = fdopen(fd, "w")) == NULL)
		heap_nomem();
	return fp;
}

static void
parse(struct bundle *b, struct input *in, int *force, int argc, char *argv[])
{
	const char *own = NULL;
	int c;

	in->secrets.twice = 1;
	while ((c = tool_option(argc, argv, "F:flo:Pp:", usage)) != -1)
		if (c == 'F')
			b->format = optarg;
		else if (c == 'f')
			*force = 1;
		else if (c == 'o')
			own = optarg;
		else if (c == 'l')
			b->legacy = 1;
		else
			input_option(in, c);
	tool_no_operand(argc, argv, usage);
	if (in->npass == 0 && own == NULL)
		tool_misused(usage,
		    "-p secret is missing: the password to write with");
	if (own != NULL && (b->format == NULL || in->npass > 0))
		msg_die("-o: with -F, and instead of -p: each file gets a "
			"password of its own");
	input_secrets(in);
	if (own == NULL && in->secrets.n != 1)
		msg_die("-p: exactly one password is needed to write, not %zu",
		    in->secrets.n);
	if (b->format != NULL && strcmp(b->format, "tar") != 0 &&
	    strcmp(b->format, "zip") != 0)
		msg_die("-F %s: not tar or zip", b->format);
	if (own != NULL)
		b->own = passwords(own);
	else
		b->pass = in->secrets.v[0];
	if (b->format != NULL && own == NULL && is_awkward(b->pass))
		msg_warn("warning: import.cmd cannot give certutil a password "
			 "that is *, has \" in it or ends in \\: take another");
}

static void
say_person(const char *person)
{
	msg_warn("keys of %s", person);
}

/* Returns 1 if what was read is to be written; else prints why not. */
static int
may_write(const struct bundle *b, int force)
{
	if (b->keys == 0) {
		msg_warn("no key in the input: nothing is written");
		return 0;
	}
	if (b->format != NULL || b->persons == 1 || force)
		return 1;
	bundle_persons(b, say_person);
	msg_warn("%zu persons: nothing is written: select one by group and "
		 "user, take -F tar for a file each, or -f for one of all",
	    b->persons);
	return 0;
}

int
main(int argc, char *argv[])
{
	struct bundle b;
	struct counts n = { 0, 0, 0 };
	struct input in;
	enum stream_event ev;
	struct reason w;
	int status = 0, force = 0;

	tool_start();
	memset(&b, 0, sizeof(b));
	memset(&in, 0, sizeof(in));
	parse(&b, &in, &force, argc, argv);
	tool_no_terminal("binary data");
	bundle_init(&b);
	input_open(&in, NULL, NULL);
	sandbox_enter(NULL);

	while ((ev = stream_next(in.stream)) > STREAM_EOF)
		if (ev == STREAM_REC && !record(&b, &n, in.stream))
			status = 1;
	if (ev == STREAM_BROKEN)
		input_broken(&in);
	if (!may_write(&b, force))
		status = 1;
	else if (b.own != NULL && !bundle_passwords(&b))
		msg_die("-o: cannot write it: %s", strerror(errno));
	else if (!bundle_write(&b, &w))
		msg_die("%s", w.detail);
	else
		msg_warn("keys %llu, certificates %llu, faults %llu, refused "
			 "%llu, persons %zu",
		    b.keys, n.certs, n.faults, n.bad, b.persons);

	bundle_free(&b);
	input_close(&in);
	return tool_end(status);
}
