/* ca-export(1): rows of the archive as records, their keys still encrypted. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "base/tool.h"
#include "ca/certutil_view.h"
#include "ca/replica.h"
#include "ca/row.h"
#include "file/cred.h"
#include "record/write.h"
#include "store/store.h"

static const char usage[] = "[-anqVv] [-A head] -d db [-k cacred] "
			    "[-p secret]... [-s token]...";

struct export
{
	struct store *db;
	struct rec_out *out;
	struct trust creds; /* of -k */
	struct blob_wrap_ca ca;
	int list; /* -n */
	int all; /* -a */
	int status;
};

/* Who signs: the CA given to ca-init, else whoever -k names. */
static int
find_ca(struct export *x, struct reason *w)
{
	uint8_t hash[32];
	X509 *ca;
	int rc;

	if (!store_ca_get(x->db, &ca, w))
		return 0;
	x->ca.all = &x->creds;
	x->ca.ca = &x->creds.v[0];
	rc = ca == NULL || X509_digest(ca, EVP_sha256(), hash, NULL);
	if (rc && ca != NULL)
		x->ca.ca = trust_find0(&x->creds, hash);
	X509_free(ca);
	return (rc && x->ca.ca != NULL && x->ca.ca->key != NULL) ||
	    reason_set(w, "credential",
		"no certificate of this CA with its private key");
}

/* Writes what is selected, up to the row that was counted last. */
static void
put_all(struct export *x, int64_t last)
{
	struct store_found f;
	struct reason w;
	unsigned long long rows = 0;
	int64_t id = 0;
	int rc;

	if (x->all && !replica_head(x->db, x->out, &w))
		msg_die("%s", w.detail);
	if (msg_level > 0)
		certutil_view_schema();
	while (id < last &&
	    (rc = store_select(x->db, id, !x->list, &f, &w)) != 0) {
		if (rc == -1)
			msg_die("%s", w.detail);
		id = f.id;
		if (msg_level > 0)
			certutil_view_row(&f, ++rows);
		if (row_put(x->out, &f, x->list, &x->ca, &w))
			continue;
		x->status = 1;
		msg_record("row %lld: %s", (long long)id, w.detail);
	}
	if (msg_level > 0)
		certutil_view_end(last, rows);
}

/* Says which commits came after the head that is known; exits 2 on error. */
static void
since(struct export *x, const char *head)
{
	int64_t id = strtoll(head, NULL, 10);
	struct store_commit e;
	struct reason w;
	int rc;

	while ((rc = store_since(x->db, id, &e, &w)) == 1) {
		msg_warn("since then: %lld %s %s %s %s", (long long)e.id,
		    e.when, e.caller, e.action, e.detail);
		id = e.id;
	}
	if (rc == -1)
		msg_die("%s", w.detail);
}

/* Checks the audit chain.  Exits 1 if something was changed. */
static void
audit(struct export *x, const char *head)
{
	char last[AUDIT_HEAD_MAX];
	struct reason w;
	int rc = store_audit(x->db, head, last, &w);

	if (rc == -1)
		msg_die("%s", w.detail);
	if (rc == 0) {
		msg_warn("audit: %s", w.detail);
		store_close(x->db);
		exit(tool_end(1));
	}
	msg_warn("audit: the chain is whole, and contains the head given; it "
		 "is now %s",
	    last);
	since(x, head);
}

/* What the audit row of an export says. */
static char *
detail_of(unsigned long long rows, int64_t last, int all, const char **token,
    size_t ntoken)
{
	char *detail;
	size_t i, n;
	FILE *fp;

	if ((fp = open_memstream(&detail, &n)) == NULL)
		heap_nomem();
	(void)fprintf(fp, "rows=%llu last=%lld%s", rows, (long long)last,
	    all ? " all" : "");
	for (i = 0; i < ntoken; i++)
		(void)fprintf(fp, " token=%s", token[i]);
	if (fclose(fp) == EOF)
		heap_nomem();
	return detail;
}

/*
 * Checks the chain against head, if that is not NULL, counts what is selected
 * and, unless -n, commits the audit row of it, which stands before the first
 * blob leaves; all of it and what is read afterwards is of one moment.
 * Returns the last RequestID, or 0.
 */
static int64_t
announce(struct export *x, const char *head, const char **token, size_t ntoken)
{
	char now[AUDIT_HEAD_MAX], *detail;
	unsigned long long rows;
	struct reason w;
	int64_t last;

	if ((!x->list && !store_begin(x->db, &w)) || !store_hold(x->db, &w))
		msg_die("%s", w.detail);
	if (head != NULL)
		audit(x, head);
	if (!store_count(x->db, &rows, &last, &w))
		msg_die("%s", w.detail);
	if (!x->list && (rows > 0 || x->all)) {
		detail = detail_of(rows, last, x->all, token, ntoken);
		if (!store_commit(x->db, tool_caller(), "export", detail, now,
			&w))
			msg_die("%s", w.detail);
		free(detail);
		msg_warn("audit head: %s", now);
	} else
		store_rollback(x->db);
	msg_warn("rows %llu", rows);
	return last;
}

int
main(int argc, char *argv[])
{
	const char *path = NULL, *key = NULL, *noted = NULL, **token;
	char head[AUDIT_HEAD_MAX];
	struct secrets secrets = { 0 };
	struct export x;
	struct reason w;
	size_t ntoken = 0, i;
	int64_t last;
	int c;

	tool_start();
	memset(&x, 0, sizeof(x));
	if ((token = calloc((size_t)argc, sizeof(*token))) == NULL)
		heap_nomem();
	while ((c = getopt(argc, argv, "+:aA:d:k:np:qs:Vv")) != -1)
		if (c == 'A') {
			if (!store_head(optarg, head))
				msg_die("-A: not ID:HEX (is a variable of the "
					"script not set?)");
			noted = head;
		} else if (c == 'd')
			path = optarg;
		else if (c == 'k')
			key = optarg;
		else if (c == 'a')
			x.all = 1;
		else if (c == 'n')
			x.list = 1;
		else if (c == 's') {
			/* an unset variable must not select what has no UPN */
			if (*optarg == '\0')
				msg_die("-s: an empty token");
			token[ntoken++] = optarg;
		} else if (c == 'p') {
			if (!secret_add(&secrets, optarg, &w))
				msg_die("-p: %s", w.detail);
		} else if (!tool_option(c))
			tool_usage(usage);
	if (path == NULL || optind != argc ||
	    (x.all && ntoken + (key != NULL) > 0))
		tool_usage(usage);
	if (key != NULL && !cred_load(&x.creds, key, 1, &secrets, &w))
		msg_die("-k: %s", w.detail);
	(void)tool_caller();
	if (!store_new(&x.db, path, &w) ||
	    !store_open(x.db,
		!x.list		  ? STORE_WRITE :
		    x.all	  ? STORE_DUMP :
		    noted != NULL ? STORE_CHECK :
				    STORE_READ,
		NULL, &w) ||
	    (key != NULL && !store_agent_all(x.db, &x.ca.agents, &w)))
		msg_die("%s", w.detail);
	if (key != NULL && !find_ca(&x, &w))
		msg_die("-k: %s: %s", key, w.detail);
	for (i = 0; i < ntoken; i++)
		if (!store_token(x.db, token[i], &w))
			msg_die("%s", w.detail);
	if ((x.out = rec_out_new(stdout)) == NULL)
		heap_nomem();
	sandbox_enter(store_dir0(x.db));

	last = announce(&x, noted, token, ntoken);
	if (last == 0 && !x.all)
		x.status = 1;
	put_all(&x, last);
	if (rec_close(x.out) == -1)
		tool_lost();

	store_close(x.db);
	rec_out_free(x.out);
	sk_X509_pop_free(x.ca.agents, X509_free);
	trust_free(&x.creds);
	secret_free(&secrets);
	free(token);
	return tool_end(x.status);
}
