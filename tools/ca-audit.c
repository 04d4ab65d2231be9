/* ca-audit(1): checks that the archive is as its audited commits left it. */

#include <stdlib.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "record/write.h"
#include "store/store.h"

static const char usage[] = "[-qVv] [-A head] -d db";

/* The findings of the check. */
struct audit {
	unsigned findings;
	struct reason first;
};

static void
found(void *ctx, const struct reason *w)
{
	struct audit *a = ctx;

	if (a->findings++ == 0)
		a->first = *w;
	msg_warn("audit: %s", w->detail);
}

/* Prints what was done after the known head.  Returns 1, or 0 with *w. */
static int
since(struct store *db, const char *head, struct reason *w)
{
	int64_t id = strtoll(head, NULL, 10);
	struct store_commit e;
	int rc;

	while ((rc = store_since(db, id, &e, w)) == 1) {
		msg_warn("since then: %lld %s %s %s %s", (long long)e.id,
		    e.when, e.caller, e.action, e.detail);
		id = e.id;
	}
	return rc == 0;
}

/* Counts the settings.  Returns 1, or 0 with *w. */
static int
count_settings(struct store *db, unsigned *n, struct reason *w)
{
	char name[SETTING_NAME_ROOM] = "";
	struct store_setting s;
	int rc;

	for (*n = 0; (rc = store_next_setting(db, name, &s, w)) == 1; ++*n)
		(void)snprintf(name, sizeof(name), "%s", s.name);
	return rc == 0;
}

/* Writes the `audited' record.  Returns 1, or 0 with *w. */
static int
put(struct store *db, const struct audit *a, const char *noted,
    const char *head, struct reason *w)
{
	struct rec_out *o = rec_out_new(stdout);
	unsigned long long rows;
	unsigned settings = 0;
	uint32_t agents;
	int64_t last;

	if (o == NULL)
		heap_nomem();
	if (!store_count(db, &rows, &last, w) ||
	    !store_agent_count(db, &agents, w) ||
	    /* those that somebody planted may have no end */
	    (a->findings == 0 && !count_settings(db, &settings, w)))
		return 0;
	rec_begin(o, "audited");
	rec_put_u64(o, "n", 1);
	rec_puts(o, "status", a->findings == 0 ? "whole" : "altered");
	rec_puts(o, "head", head);
	rec_puts(o, "noted", noted);
	rec_put_u64(o, "rows", rows);
	rec_put_u64(o, "agents", agents);
	rec_put_u64(o, "settings", settings);
	rec_put_u64(o, "findings", a->findings);
	rec_puts(o, "reason", a->findings == 0 ? "" : a->first.detail);
	if (rec_end(o) != 1 || rec_close(o) == -1)
		tool_lost();
	rec_out_free(o);
	return 1;
}

int
main(int argc, char *argv[])
{
	char noted[AUDIT_HEAD_MAX] = "", head[AUDIT_HEAD_MAX];
	const char *path = NULL;
	struct audit a = { 0 };
	struct store *db;
	struct reason w;
	int c, rc;

	tool_start();
	while ((c = tool_option(argc, argv, "A:d:", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else if (c == 'A') {
			if (!store_head(optarg, noted))
				msg_die("-A: not ID:HEX (is a variable of the "
					"script not set?)");
		}
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	tool_no_operand(argc, argv, usage);
	if (!store_new(&db, path, &w) || !store_open(db, STORE_CHECK, NULL, &w))
		msg_die("%s", w.detail);
	sandbox_enter(store_dir0(db));

	if ((rc = store_audit(db, *noted == '\0' ? NULL : noted, head, found,
		 &a, &w)) == -1 ||
	    (rc == 1 && *noted != '\0' && !since(db, noted, &w)) ||
	    !put(db, &a, noted, head, &w))
		msg_die("%s", w.detail);
	if (rc == 1)
		msg_warn("audit: the chain is whole%s; it is now %s",
		    *noted == '\0' ? "" : ", and contains the head given",
		    head);

	store_close(db);
	return tool_end(rc != 1);
}
