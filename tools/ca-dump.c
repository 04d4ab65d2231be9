/* ca-dump(1): writes a whole archive as records, which ca-load(1) takes. */

#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/dump.h"
#include "ca/row.h"
#include "record/write.h"
#include "store/store.h"

static const char usage[] = "[-qVv] -d db";

/* Writes the rows.  Returns 1, or 0 if some could not be written. */
static int
put_rows(struct store *db, struct rec_out *out)
{
	static const struct blob_wrap_ca nobody;
	struct store_found f = { .id = 0 };
	struct reason w;
	int rc, whole = 1;

	while ((rc = store_select(db, f.id, STORE_FIRST, &f, &w)) == 1)
		if (!row_put(out, &f, 0, &nobody, &w)) {
			msg_record("row %lld: %s", (long long)f.id, w.detail);
			whole = 0;
		}
	if (rc == -1)
		msg_die("%s", w.detail);
	return whole;
}

int
main(int argc, char *argv[])
{
	const char *path = NULL;
	unsigned long long rows;
	struct rec_out *out;
	struct store *db;
	struct reason w;
	int64_t last;
	int c, whole;

	tool_start();
	while ((c = tool_option(argc, argv, "d:", usage)) != -1)
		if (c == 'd')
			path = optarg;
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
	if (!store_new(&db, path, &w) || !store_open(db, STORE_DUMP, NULL, &w))
		msg_die("%s", w.detail);
	if ((out = rec_out_new(stdout)) == NULL)
		heap_nomem();
	sandbox_enter(store_dir0(db));

	if (!store_hold(db, &w) || !store_count(db, &rows, &last, &w) ||
	    !dump_head(db, out, &w))
		msg_die("%s", w.detail);
	msg_warn("rows %llu", rows);
	whole = put_rows(db, out);
	if (!dump_names(db, out, &w) || !dump_tail(db, out, &w))
		msg_die("%s", w.detail);
	if (rec_close(out) == -1)
		tool_lost();

	store_close(db);
	rec_out_free(out);
	return tool_end(!whole);
}
