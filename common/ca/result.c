#include "ca/result.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/reason.h"
#include "base/tool.h"
#include "ca/agent_hashes.h"
#include "proof/input.h"

static const char *const status_name[RESULT_STATUSES] = {
	[RESULT_IMPORTED] = "imported",
	[RESULT_UPDATED] = "updated",
	[RESULT_PRESENT] = "present",
	[RESULT_IGNORED] = "ignored",
	[RESULT_REFUSED] = "refused",
	[RESULT_FAULT] = "fault",
};

void
result_free(struct result *o)
{
	free(o->hashes);
	free(o->text);
}

/* The results whose summary is printed at exit. */
static struct results *started;

static void
at_exit(void)
{
	if (started != NULL && started->pid == getpid() &&
	    *started->head != '\0')
		results_summary(started);
}

void
results_start(struct results *rs)
{
	started = rs;
	rs->pid = getpid();
	if (atexit(at_exit) != 0)
		heap_nomem();
	rs->mem = open_memstream(&rs->text, &rs->len);
	if (rs->mem == NULL || (rs->out = rec_out_new(rs->mem)) == NULL)
		heap_nomem();
}

void
results_free(struct results *rs)
{
	rec_out_free(rs->out);
	if (rs->mem != NULL)
		(void)fclose(rs->mem);
	free(rs->text);
}

/* Puts the agents of a key that was written, as the record has them. */
static void
put_agents(struct rec_out *out, const struct rec *r, const struct result *o)
{
	char *agents;

	if (o->hashes != NULL) {
		agents = agent_hashes_record(o->hashes);
		rec_puts(out, "kra", agents);
		free(agents);
	} else if (rec_is(r, "archived"))
		rec_put_field(out, r, "kra");
	else
		rec_puts(out, "kra", "");
}

/*
 * Puts a `result'; brief leaves out the record's texts, which may be as long as
 * a line.  Returns 1, or 0 if the result is too long.
 */
static int
put_result(struct results *rs, const struct stream_in *s,
    const struct result *o, int brief)
{
	static const char *const fields[] = { "sha1", "serial", "user" };
	struct rec_out *out = rs->out;
	int stored = !rs->dry && o->status <= RESULT_UPDATED;
	size_t i;

	rec_begin(out, "result");
	rec_put_u64(out, "n", s->n);
	rec_puts(out, "status", status_name[o->status]);
	if (o->id > 0 && (stored || o->status == RESULT_PRESENT))
		rec_put_u64(out, "id", (unsigned long long)o->id);
	else
		rec_puts(out, "id", "");
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (brief)
			rec_puts(out, fields[i], "");
		else
			rec_put_field(out, &s->rec, fields[i]);
	if (stored)
		put_agents(out, &s->rec, o);
	else
		rec_puts(out, "kra", "");
	rec_puts(out, "reason",
	    rs->dry && *o->reason == '\0' ? "not written (-n)" : o->reason);
	return rec_end(out);
}

/* Returns 1 if the record, or the row of another archive, has a key. */
static int
has_key(const struct rec *r)
{
	return rec_is(r, "key") ||
	    (rec_is(r, "archived") && !rec_eq(r, "blob", ""));
}

void
results_add(struct results *rs, const struct stream_in *s, struct result *o)
{
	struct reason cut;

	rs->now.read++;
	rs->now.n[o->status]++;
	rs->now.names += o->named != 0;
	rs->now.keys += o->status == RESULT_IMPORTED && has_key(&s->rec);
	rs->waiting++;
	if (*o->reason != '\0')
		input_say(s, "%s: %s", status_name[o->status], o->reason);
	if (put_result(rs, s, o, 0) != 1) {
		reason_set(&cut, "ceiling", "%.400s", o->reason);
		o->reason = cut.detail;
		if (put_result(rs, s, o, 1) != 1)
			heap_nomem();
	}
}

void
results_release(struct results *rs)
{
	rs->done = rs->now;
	if (fflush(rs->mem) == EOF)
		heap_nomem();
	if (!rec_write(stdout, rs->text, rs->len) || fflush(stdout) == EOF)
		tool_lost();
	rewind(rs->mem);
	rs->waiting = 0;
}

void
results_summary(struct results *rs)
{
	const struct result_counts *c = &rs->done;
	char names[40] = "";

	if (started == NULL)
		return;
	started = NULL;
	if (rs->note != NULL)
		msg_warn("%s", rs->note);
	if (c->names > 0)
		(void)snprintf(names, sizeof(names), ", names %llu", c->names);
	msg_warn("read %llu, imported %llu (keys %llu), updated %llu, "
		 "present %llu, ignored %llu, refused %llu, faults %llu%s%s",
	    c->read, c->n[RESULT_IMPORTED], c->keys, c->n[RESULT_UPDATED],
	    c->n[RESULT_PRESENT], c->n[RESULT_IGNORED], c->n[RESULT_REFUSED],
	    c->n[RESULT_FAULT], names,
	    rs->dry ? " (-n: nothing was written)" : "");
	if (c->dropped > 0)
		msg_warn("older versions of keys dropped: %llu", c->dropped);
	if (*rs->head != '\0')
		msg_warn("audit head: %s", rs->head);
}

void
results_end(struct results *rs)
{
	if (rec_close(rs->out) == -1)
		tool_lost();
	results_release(rs);
}
