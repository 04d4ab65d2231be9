/* ca-export(1): writes rows of the archive as records, keys encrypted. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/certutil_view.h"
#include "ca/fault.h"
#include "ca/row.h"
#include "proof/input.h"
#include "record/write.h"
#include "store/store.h"

#define DETAIL_MAX 65536 /* bytes of what an audit row says of an export */

static const char usage[] = "[-anqVv] [-b from] -d db [-e until] [-g group]... "
			    "[-k cacred] [-p secret]... [-s token]... "
			    "[-u user]...";

struct export
{
	struct store *db;
	struct query *query;
	struct rec_out *out;
	struct input in; /* -k and -p; nothing is read */
	struct blob_wrap_ca ca;
	int list; /* -n */
	int faults; /* -a */
	int status;
};

/* Finds the signer: the CA given to ca-init, else the certificate of -k. */
static int
find_ca(struct export *x, struct reason *w)
{
	uint8_t hash[32];
	X509 *ca;
	int rc;

	if (!store_ca_get(x->db, &ca, w))
		return 0;
	x->ca.all = &x->in.k;
	x->ca.ca = &x->in.k.v[0];
	rc = ca == NULL || X509_digest(ca, EVP_sha256(), hash, NULL);
	if (rc && ca != NULL)
		x->ca.ca = trust_find0(&x->in.k, hash);
	X509_free(ca);
	return (rc && x->ca.ca != NULL && x->ca.ca->key != NULL) ||
	    reason_set(w, "credential",
		"no certificate of this CA with its private key");
}

/* Writes a row under one of its names. */
static void
put(struct export *x, const struct store_found *f, unsigned long long n)
{
	struct reason w;

	if (msg_level > 0)
		certutil_view_row(f, n);
	if (row_put(x->out, f, x->list, &x->ca, &w))
		return;
	x->status = 1;
	msg_record("row %lld: %s", (long long)f->id, w.detail);
}

/* Writes the selected rows, up to the last that was counted. */
static void
put_all(struct export *x, int64_t last)
{
	struct store_found f = { .id = 0 };
	struct reason w;
	unsigned long long rows = 0, records = 0;
	int rc = 0;

	if (msg_level > 0)
		certutil_view_schema();
	while (rc == 0 && f.id < last &&
	    (rc = store_select(x->db, f.id, x->list ? STORE_LIST : STORE_LAST,
		 &f, &w)) == 1)
		for (rows++; (rc = store_select_name(x->db, &f, &w)) == 1;
		     records++)
			put(x, &f, records + 1);
	if (rc == -1)
		msg_die("%s", w.detail);
	if (msg_level > 0)
		certutil_view_end(last, records);
	if (records > rows)
		msg_warn("records %llu: a row under several names has one for "
			 "each group and user",
		    records);
}

/* Writes the wanted faults, or only counts them.  Exits 2 with -1. */
static unsigned long long
faults(struct export *x, int put)
{
	struct store_fault f = { .id = 0 };
	unsigned long long n = 0;
	struct reason w;
	int rc = 0;

	while (x->faults && (rc = store_next_fault(x->db, f.id, &f, &w)) == 1) {
		if (!store_fault_wanted(&f, x->query))
			continue;
		n++;
		if (put && !fault_put(x->out, &f, &w)) {
			x->status = 1;
			msg_record("%s", w.detail);
		}
	}
	if (rc == -1)
		msg_die("%s", w.detail);
	return n;
}

/* Makes the detail of the audit row of an export. */
static char *
detail_of(const struct query *q, unsigned long long rows, int64_t last)
{
	char *detail;
	size_t n;
	FILE *fp;

	if ((fp = open_memstream(&detail, &n)) == NULL)
		heap_nomem();
	(void)fprintf(fp, "rows=%llu last=%lld", rows, (long long)last);
	query_detail(q, fp);
	if (fclose(fp) == EOF)
		heap_nomem();
	if (n > DETAIL_MAX)
		msg_die("-s: %zu bytes of tokens, and an audit row keeps %d: "
			"search in several runs",
		    n, DETAIL_MAX);
	return detail;
}

/*
 * Counts the selected rows and, unless -n, commits the audit row, before the
 * first blob leaves; all reads see that moment.  Returns the last RequestID, or
 * 0.
 */
static int64_t
announce(struct export *x)
{
	char now[AUDIT_HEAD_MAX], *detail;
	unsigned long long rows, lost;
	struct reason w;
	int64_t last;

	if ((!x->list && !store_begin(x->db, &w)) || !store_hold(x->db, &w) ||
	    !store_search(x->db, x->query, &w) ||
	    !store_count(x->db, &rows, &last, &w))
		msg_die("%s", w.detail);
	if (!x->list && rows > 0) {
		detail = detail_of(x->query, rows, last);
		if (!store_commit(x->db, tool_caller(), "export", detail, now,
			&w))
			msg_die("%s", w.detail);
		free(detail);
		msg_warn("audit head: %s", now);
	} else
		store_rollback(x->db);
	lost = faults(x, 0);
	if (x->faults)
		msg_warn("rows %llu, faults %llu", rows, lost);
	else
		msg_warn("rows %llu", rows);
	query_explain(x->query, rows + lost);
	x->status = rows + lost == 0;
	return last;
}

/* Takes an option that selects rows. */
static void
query_option(struct query *q, int c)
{
	static const struct {
		int letter;
		int (*add)(struct query *, const char *, struct reason *);
	} all[] = {
		{ 'b', query_from },
		{ 'e', query_until },
		{ 'g', query_group },
		{ 's', query_token },
		{ 'u', query_user },
	};
	struct reason w;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].letter == c && !all[i].add(q, optarg, &w))
			msg_die("%s", w.detail);
}

int
main(int argc, char *argv[])
{
	const char *path = NULL;
	struct export x;
	struct reason w;
	int64_t last;
	int c;

	tool_start();
	memset(&x, 0, sizeof(x));
	x.query = query_new();
	while ((c = tool_option(argc, argv, "ab:d:e:g:k:np:s:u:", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else if (c == 'a')
			x.faults = 1;
		else if (c == 'n')
			x.list = 1;
		else if (c == 'k' || c == 'p')
			input_option(&x.in, c);
		else
			query_option(x.query, c);
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
	(void)tool_caller();
	if (!store_new(&x.db, path, &w) ||
	    !store_open(x.db, x.list ? STORE_READ : STORE_WRITE, NULL, &w) ||
	    (x.in.key != NULL && !store_agent_all(x.db, &x.ca.agents, &w)))
		msg_die("%s", w.detail);
	/* no key or password is here while libpq connects */
	input_cred(&x.in);
	if (x.in.key != NULL && !find_ca(&x, &w))
		msg_die("-k: %s: %s", x.in.key, w.detail);
	if ((x.out = rec_out_new(stdout)) == NULL)
		heap_nomem();
	sandbox_enter(store_dir0(x.db));

	last = announce(&x);
	put_all(&x, last);
	(void)faults(&x, 1);
	if (rec_close(x.out) == -1)
		tool_lost();

	store_close(x.db);
	rec_out_free(x.out);
	sk_X509_pop_free(x.ca.agents, X509_free);
	input_close(&x.in);
	query_free(x.query);
	return tool_end(x.status);
}
