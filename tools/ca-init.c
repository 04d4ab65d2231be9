/* ca-init(1): makes the archive, and stores who may recover from it. */

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cred.h"
#include "db.h"
#include "flag.h"
#include "item.h"
#include "kra.h"
#include "member.h"
#include "msg.h"
#include "sandbox.h"
#include "secret.h"
#include "stream.h"
#include "tool.h"

static const char usage[] = "[-fqVv] [-c cacert] -d db [-N count] "
			    "[-p secret]...";

struct init {
	const char *path, *capath;
	struct secrets secrets;
	struct cred ca; /* of -c, if given */
	X509 *issuer; /* of the KRAs, or NULL */
	struct db *db;
	struct items items; /* what stdin held */
	int force, fresh, changed;
	uint32_t count; /* of -N */
	int has_count;
};

/* Leaves nothing behind, and says why. */
static void
give_up(struct init *in)
{
	if (in->fresh)
		db_discard(in->db);
	else {
		db_rollback(in->db);
		db_close(in->db);
	}
}

static void
fail(struct init *in, const struct why *w)
{
	give_up(in);
	msg_die("%s", w->detail);
}

static void
parse(struct init *in, int argc, char *argv[])
{
	struct why w;
	int c;

	while ((c = getopt(argc, argv, "+:c:d:fN:p:qVv")) != -1)
		switch (c) {
		case 'c':
			in->capath = optarg;
			break;
		case 'd':
			in->path = optarg;
			break;
		case 'f':
			in->force = 1;
			break;
		case 'N':
			in->has_count = 1;
			if (!flag_apply("KRACertCount", optarg, 0, &in->count,
				&w))
				msg_die("-N: %s", w.detail);
			break;
		case 'p':
			if (!secret_add(&in->secrets, optarg, &w))
				msg_die("-p: %s", w.detail);
			break;
		default:
			if (!tool_option(c))
				tool_usage(usage);
		}
	if (in->path == NULL || optind != argc)
		tool_usage(usage);
}

/* Reads the KRA certificates from stdin. */
static void
read_kras(struct init *in)
{
	struct why w;
	uint8_t *buf;
	size_t n, i, certs = 0;

	if ((buf = cred_slurp(STDIN_FILENO, CRED_FILE_MAX, &n, &w)) == NULL ||
	    (n > 0 && !member_read(buf, n, &in->secrets, &in->items, &w)))
		msg_die("stdin: %s: expected the certificates of the KRAs",
		    w.detail);
	if (n == 0)
		msg_die("stdin: empty input: expected the certificates of the "
			"KRAs");
	for (i = 0; i < in->items.n; i++) {
		if (in->items.v[i].kind == ITEM_FAULT)
			msg_die("stdin: %s", in->items.v[i].why.detail);
		certs += in->items.v[i].kind == ITEM_CERT;
	}
	if (certs == 0)
		msg_die("stdin: no certificate in it: expected those of the "
			"KRAs");
	OPENSSL_clear_free(buf, n);
}

/* Stores the CA certificate, or checks that it is that of the archive. */
static void
store_ca(struct init *in)
{
	struct why w;
	uint8_t *had, *der = NULL;
	const uint8_t *p;
	size_t nhad;
	int n;

	if (!db_ca_get(in->db, &had, &nhad, &w))
		fail(in, &w);
	if (in->capath != NULL && (n = i2d_X509(in->issuer, &der)) > 0) {
		if (had != NULL &&
		    (nhad != (size_t)n || memcmp(had, der, nhad) != 0)) {
			why_set(&w, "usage",
			    "-c is not the CA of this "
			    "archive");
			fail(in, &w);
		}
		in->changed |= had == NULL;
		if (had == NULL && !db_ca_set(in->db, der, (size_t)n, &w))
			fail(in, &w);
	} else if (had != NULL) {
		p = had;
		in->issuer = d2i_X509(NULL, &p, (long)nhad);
		if (in->issuer == NULL) {
			why_set(&w, "database",
			    "the CA certificate in the archive does not parse");
			fail(in, &w);
		}
	} else
		msg_warn("no -c: every certificate will be foreign, and who "
			 "issued the KRA certificates is not checked");
	OPENSSL_free(der);
	OPENSSL_free(had);
}

/* Checks and stores one KRA.  Returns its status; *w says what was forced. */
static const char *
store_kra(struct init *in, const struct cert *c, struct why *w)
{
	X509 *x = cert_x509(c);
	const char *status = "added";
	struct why why;
	int rc;

	w->detail[0] = '\0';
	if (x == NULL || !kra_check(x, in->issuer, w)) {
		/* -f cannot help where nothing can be encrypted to it */
		if (x == NULL || !in->force || !kra_usable(x, w)) {
			give_up(in);
			msg_warn("KRA %s: %s%s; nothing was written",
			    c->subject, w->detail,
			    in->force ? "" : " (-f accepts it all the same)");
			exit(tool_end(1));
		}
		msg_warn("warning: KRA %s: %s", c->subject, w->detail);
		status = "forced";
	}
	X509_free(x);
	if ((rc = db_kra_add(in->db, c, &why)) == -1)
		fail(in, &why);
	in->changed |= rc;
	return rc == 1 ? status : "present";
}

static void
put_kra(struct rec_out *o, const struct cert *c, const char *status,
    const struct why *w)
{
	rec_begin(o, "kra");
	rec_put_u64(o, "n", o->n + 1);
	rec_puts(o, "status", status);
	rec_put_hex(o, "sha1", c->sha1, sizeof(c->sha1));
	rec_put_hex(o, "sha256", c->sha256, sizeof(c->sha256));
	rec_puts(o, "serial", c->serial);
	rec_puts(o, "issuer", c->issuer);
	rec_puts(o, "subject", c->subject);
	rec_puts(o, "not_before", c->not_before);
	rec_puts(o, "not_after", c->not_after);
	rec_puts(o, "alg", c->alg);
	rec_puts(o, "reason", w->detail);
	rec_put_b64(o, "cert", c->der, c->len);
	if (rec_end(o) != 1)
		tool_lost();
}

/* -N, against the KRAs that are there now. */
static void
check_count(struct init *in)
{
	STACK_OF(X509) *kras;
	struct why w;
	int n;

	if (!db_kra_all(in->db, &kras, &w))
		fail(in, &w);
	n = sk_X509_num(kras);
	sk_X509_pop_free(kras, X509_free);
	if (in->count <= (uint32_t)n)
		return;
	why_set(&w, "usage", "-N %u: the archive has %d KRAs", in->count, n);
	fail(in, &w);
}

/* Writes settings and audit row; the detail carries every setting. */
static void
settle(struct init *in)
{
	char detail[256], head[AUDIT_HEAD_MAX];
	struct why w;
	size_t n = 0, i;
	uint32_t v;

	for (i = 0; flag_name0(i) != NULL; i++) {
		v = strcmp(flag_name0(i), "KRACertCount") == 0 ? in->count : 0;
		if (!in->fresh &&
		    !(in->has_count && v == in->count &&
			strcmp(flag_name0(i), "KRACertCount") == 0))
			continue;
		in->changed = 1;
		if (!db_config_set(in->db, flag_name0(i), v, &w))
			fail(in, &w);
		n += (size_t)snprintf(detail + n, sizeof(detail) - n, "%s=%u ",
		    flag_name0(i), v);
	}
	(void)snprintf(detail + n, sizeof(detail) - n, "kras=%zu", in->items.n);
	if (!in->changed) {
		db_rollback(in->db);
		return;
	}
	if (!db_commit(in->db, tool_caller(), in->fresh ? "init" : "kra",
		detail, head, &w))
		fail(in, &w);
	msg_warn("audit head: %s", head);
}

int
main(int argc, char *argv[])
{
	const char **status;
	struct rec_out *out;
	struct init in;
	struct why w, *forced;
	size_t i;

	tool_start();
	memset(&in, 0, sizeof(in));
	parse(&in, argc, argv);
	if (in.capath != NULL) {
		if (!cred_load(&in.ca, in.capath, 0, &in.secrets, &w))
			msg_die("-c: %s", w.detail);
		in.issuer = in.ca.v[0].cert;
		(void)X509_up_ref(in.issuer);
	}
	(void)tool_caller();
	read_kras(&in);
	if (!db_open(&in.db, in.path, DB_CREATE, &in.fresh, &w))
		msg_die("%s", w.detail);
	status = calloc(in.items.n, sizeof(*status));
	forced = calloc(in.items.n, sizeof(*forced));
	if (status == NULL || forced == NULL ||
	    (out = rec_out_new(stdout)) == NULL)
		tool_nomem();
	sandbox_enter(db_dir0(in.db));

	if (!db_begin(in.db, &w))
		fail(&in, &w);
	store_ca(&in);
	for (i = 0; i < in.items.n; i++)
		if (in.items.v[i].kind == ITEM_CERT)
			status[i] = store_kra(&in, in.items.v[i].cert,
			    &forced[i]);
	check_count(&in);
	settle(&in);
	for (i = 0; i < in.items.n; i++)
		if (status[i] != NULL)
			put_kra(out, in.items.v[i].cert, status[i], &forced[i]);
	if (rec_close(out) == -1)
		tool_lost();

	db_close(in.db);
	rec_out_free(out);
	items_free(&in.items);
	X509_free(in.issuer);
	cred_free(&in.ca);
	secret_free(&in.secrets);
	free(status);
	free(forced);
	return tool_end(0);
}
