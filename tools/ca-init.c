/* ca-init(1): makes the archive, and stores who may recover from it. */

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/setting.h"
#include "ca/setup.h"
#include "file/cred.h"
#include "file/file.h"
#include "file/findings.h"
#include "proof/input.h"
#include "store/store.h"

static const char usage[] = "[-DfqVv] [-c cacert] -d db [-N count] "
			    "[-p secret]...";

struct options {
	const char *db, *ca; /* -d, -c */
	struct input in; /* -p */
};

static void
parse(struct options *o, struct setup *s, int argc, char *argv[])
{
	struct reason w;
	int c;

	while ((c = tool_option(argc, argv, "c:Dd:fN:p:", usage)) != -1)
		switch (c) {
		case 'c':
			o->ca = optarg;
			break;
		case 'D':
			s->leave = 1;
			break;
		case 'd':
			o->db = optarg;
			break;
		case 'f':
			s->force = 1;
			break;
		case 'N':
			s->has_count = 1;
			if (!setting_apply("KRACertCount", optarg, 0, &s->count,
				&w))
				msg_die("-N: %s", w.detail);
			break;
		case 'p':
			input_option(&o->in, c);
			break;
		default:
			break;
		}
	if (o->db == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
}

/* Reads agents' certificates from stdin, which may be empty with `empty'. */
static void
read_kras(struct findings *l, struct secrets *secrets, int empty)
{
	struct reason w;
	uint8_t *buf;
	size_t n, i, certs = 0;

	if ((buf = io_slurp(STDIN_FILENO, CRED_FILE_MAX, &n, &w)) == NULL ||
	    (n > 0 && !file_read(buf, n, secrets, l, &w)))
		msg_die("stdin: %s: expected the certificates of the KRAs",
		    w.detail);
	if (n == 0 && !empty)
		msg_die("stdin: empty input: expected the certificates of the "
			"KRAs");
	for (i = 0; i < l->n; i++) {
		if (l->v[i].kind == FINDING_FAULT)
			msg_die("stdin: %s", l->v[i].why.detail);
		certs += l->v[i].kind == FINDING_CERT;
	}
	if (certs == 0 && n > 0)
		msg_die("stdin: no certificate in it: expected those of the "
			"KRAs");
	OPENSSL_clear_free(buf, n);
}

/* Writes all in one commit.  Returns 1, 0 if an agent is refused, -1 *w. */
static int
store(struct setup *s, X509 *ca, const struct findings *l, struct reason *w)
{
	char head[AUDIT_HEAD_MAX];
	size_t i;
	int rc;

	if (l->n == 0 && !s->fresh)
		return reason_fail(w, "usage",
		    "stdin: empty input, and the archive is there: "
		    "expected the certificates of the KRAs");
	if (!store_begin(s->db, w))
		return -1;
	/* no agent, no setting, no audit row: what a copy can be put into */
	if (l->n == 0)
		return restore_end(s->db, head, w) && store_publish(s->db, w) ?
		    1 :
		    -1;
	if (!setup_ca(s, ca, w))
		return -1;
	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == FINDING_CERT &&
		    (rc = (s->leave ? setup_leave : setup_agent)(s,
			 l->v[i].cert, w)) != 1)
			return rc;
	if (!setup_commit(s, head, w) || !store_publish(s->db, w))
		return -1;
	if (*head != '\0')
		msg_warn("audit head: %s", head);
	return 1;
}

int
main(int argc, char *argv[])
{
	struct options o;
	struct setup s;
	struct findings kras = { NULL, 0 };
	struct trust ca;
	struct reason w;
	char *text;
	size_t n;
	FILE *mem;
	int rc;

	tool_start();
	tool_changes();
	memset(&o, 0, sizeof(o));
	memset(&s, 0, sizeof(s));
	memset(&ca, 0, sizeof(ca));
	parse(&o, &s, argc, argv);
	(void)tool_caller(); /* asks now, outside the sandbox */
	if (!store_new(&s.db, o.db, &w))
		msg_die("%s", w.detail);
	/* no password is here while libpq connects */
	o.in.secrets.of = o.ca;
	input_secrets(&o.in);
	if (o.ca != NULL && !cred_load(&ca, o.ca, 0, &o.in.secrets, &w))
		msg_die("-c: %s", w.detail);
	sandbox_enter(store_dir0(s.db));

	read_kras(&kras, &o.in.secrets,
	    s.force && o.ca == NULL && !s.has_count);
	if (!store_open(s.db, s.leave ? STORE_WRITE : STORE_CREATE, &s.fresh,
		&w))
		msg_die("%s", w.detail);
	/* the records wait here until what they say is true */
	if ((mem = open_memstream(&text, &n)) == NULL ||
	    (s.out = rec_out_new(mem)) == NULL)
		heap_nomem();
	rc = store(&s, ca.n > 0 ? ca.v[0].cert : NULL, &kras, &w);
	store_close(s.db);
	if (rc == -1)
		msg_die("%s", w.detail);
	if (rc == 0)
		msg_warn("%s", w.detail);
	else if (rec_close(s.out) == -1 || fflush(mem) == EOF)
		heap_nomem();
	else if (!rec_write(stdout, text, n))
		tool_lost();

	rec_out_free(s.out);
	(void)fclose(mem);
	free(text);
	X509_free(s.ca);
	free(s.said);
	findings_free(&kras);
	trust_free(&ca);
	input_close(&o.in);
	return tool_end(rc == 1 ? 0 : 1);
}
