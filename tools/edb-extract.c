/* edb-extract(1): writes the contents of an ESE database as records. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/edb.h"
#include "ca/row.h"
#include "ese/catalog.h"
#include "ese/header.h"
#include "ese/values.h"
#include "export/database.h"
#include "export/owner.h"
#include "record/stream_read.h"

#define EDB_PIPE_MAX (32 * 1024 * 1024) /* bytes of an input without a name */

static const char usage[] = "[-qVv]";

struct extract {
	struct ese ese;
	struct catalog catalog;
	struct stream_out out;
	struct shelf *shelf;
	int status;
};

/* Writes a loss in the database as a fault. */
static void
fault(void *ctx, const char *where, const struct reason *w)
{
	struct extract *x = ctx;
	struct text source = { where, strlen(where) };

	if (source.n == 0)
		source = (struct text){ "stdin", 5 };
	msg_record("%.*s: %s", (int)source.n, source.s, w->detail);
	stream_fault(&x->out, source, NULL, w);
	x->status = 1;
}

/* Writes an agent's certificate, as ca-dump does. */
static void
put_agent(struct extract *x, const struct edb_row *row)
{
	struct rec_out *o = x->out.rec;

	rec_begin(o, "agent");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_u64(o, "id", (unsigned long long)row->found.id);
	rec_puts(o, "added", row->found.submitted);
	rec_puts(o, "audit", "");
	rec_put_b64(o, "cert", row->cert->der, row->cert->len);
	if (rec_end(o) == -1)
		tool_lost();
}

/* Writes a row, whose owner the certificate tells. */
static void
put_row(struct extract *x, struct edb_row *row)
{
	static const struct blob_wrap_ca nobody = { NULL, NULL, NULL };
	struct store_found *f = &row->found;
	struct text none = { NULL, 0 };
	struct stream_rec e;
	char source[64];
	struct reason w;

	memset(&e, 0, sizeof(e));
	owner_cert(&e, row->cert, none);
	f->seen.group = e.group;
	f->seen.user = e.user;
	f->seen.mail = e.mail;
	f->seen.guid = (struct text){ "", 0 };
	if (row->is_agent)
		put_agent(x, row);
	if (row_put_cert(x->out.rec, f, row->cert, row->recipients, 0, &nobody,
		&w))
		return;
	(void)snprintf(source, sizeof(source), "Requests/%" PRId64, f->id);
	fault(x, source, &w);
}

static void
ca(struct extract *x)
{
	unsigned long long rows = 0, keys = 0;
	struct edb *d = edb_new(&x->ese, &x->catalog);
	struct edb_row row;

	while (edb_next(d, &row)) {
		put_row(x, &row);
		rows++;
		keys += row.found.bloblen > 0;
	}
	msg_warn("rows %llu, with a key %llu; %llu requests were never issued",
	    rows, keys, edb_never_issued(d));
	edb_free(d);
}

/* Searches any other database, whose keys may be in the clear. */
static void
other(struct extract *x)
{
	struct database d = { .e = &x->ese,
		.catalog = &x->catalog,
		.out = &x->out,
		.pair = { .shelf = x->shelf } };
	const struct rec_out *o = x->out.rec;

	tool_clear_keys();
	database_put(&d);
	msg_warn("keys %llu, certificates %llu", o->keys, o->certs);
	if (o->keys + o->certs == 0)
		x->status = 1;
}

/* Prints a table of the list. */
static void
table(void *ctx, const struct schema_table *t, uint64_t rows)
{
	size_t i;

	(void)ctx;
	msg_line("%s: %" PRIu64 " rows", t->name, rows);
	for (i = 0; i < t->ncolumns; i++)
		msg_line("    %s", t->column[i].name);
}

/* Prints what is in the database. */
static void
list(struct extract *x)
{
	const struct values vs = { .e = &x->ese,
		.catalog = &x->catalog,
		.table = table };

	msg_line("ESE revision 0x%x (%s), %u pages of %u bytes",
	    x->ese.revision, header_engine(&x->ese), x->ese.last,
	    x->ese.page_size);
	(void)values_each(&vs);
}

/* Opens the input, and copies a pipe into memory. */
static void
input(struct ese *e)
{
	struct reason w;
	size_t n;

	e->fd = STDIN_FILENO;
	if (lseek(STDIN_FILENO, 0, SEEK_CUR) != -1)
		return;
	e->mem = io_slurp(STDIN_FILENO, EDB_PIPE_MAX, &n, &w);
	if (e->mem == NULL && strcmp(w.reason, "ceiling") == 0)
		msg_die("stdin: more than %d MiB through a pipe: give it as "
			"<file",
		    EDB_PIPE_MAX >> 20);
	if (e->mem == NULL)
		msg_die("stdin: %s", w.detail);
	e->size = n;
}

int
main(int argc, char *argv[])
{
	struct extract x;
	struct reason w;

	tool_start();
	memset(&x, 0, sizeof(x));
	(void)tool_option(argc, argv, "", usage);
	tool_no_operand(argc, argv, usage);
	x.ese.fault = fault;
	x.ese.ctx = &x;
	if (!stream_out_plain(&x.out, stdout))
		heap_nomem();
	x.shelf = shelf_new();
	sandbox_enter(NULL);

	input(&x.ese);
	if (!header_read(&x.ese, &w))
		msg_die("stdin: %s", w.detail);
	if (!header_clean(&x.ese, &w))
		fault(&x, "", &w);
	catalog_read(&x.catalog, &x.ese);
	if (msg_level > 0)
		list(&x);
	if (catalog_is_ca(&x.catalog))
		ca(&x);
	else
		other(&x);
	if (!stream_close(&x.out, &w))
		msg_die("%s", w.detail);
	catalog_free(&x.catalog);
	shelf_free(x.shelf);
	OPENSSL_free((void *)(uintptr_t)x.ese.mem);
	return tool_end(x.status);
}
