/* ca-setflag(1): reads and sets the archive's settings, as certutil -setreg. */

#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/agent_pins.h"
#include "ca/certutil_view.h"
#include "ca/setting.h"
#include "proof/input.h"
#include "record/write.h"
#include "store/store.h"

static const char usage[] = "[-nqVv] -d db [- | name [value]]";

struct setting {
	const char *name;
	uint32_t old, new;
	int set; /* a value was given */
};

#define SETTINGS_MAX 3

/* The requests of the command line or the records, in their order. */
struct asked {
	char *name, *value; /* value NULL: as it is */
};

struct todo {
	struct store *db;
	struct asked asked[SETTING_RECORDS_MAX];
	size_t nasked;
	struct setting v[SETTINGS_MAX];
	size_t n;
};

/* Works out one setting; later values of a name build on earlier ones. */
static int
want(struct todo *t, const char *name, const char *value, struct reason *w)
{
	struct setting *s;
	size_t i;

	if ((name = setting_find0(name, w)) == NULL)
		return 0;
	for (i = 0; i < t->n && t->v[i].name != name; i++)
		continue;
	s = &t->v[i];
	if (i == t->n) {
		memset(s, 0, sizeof(*s));
		s->name = name;
		if (!store_setting_get(t->db, name, &s->old, w))
			return 0;
		s->new = s->old;
		t->n++;
	}
	if (value == NULL)
		return 1;
	s->set = 1;
	return setting_apply(name, value, s->new, &s->new, w);
}

/* Adds a request; takes both. */
static int
ask(struct todo *t, char *name, char *value, struct reason *w)
{
	if (t->nasked == SETTING_RECORDS_MAX)
		return reason_set(w, "ceiling",
		    "more than %d flag records: give each setting once",
		    SETTING_RECORDS_MAX);
	t->asked[t->nasked].name = name;
	t->asked[t->nasked++].value = value;
	return 1;
}

/*
 * Adds the new value of every `flag' record of stdin.  Nothing is locked yet:
 * they may be long in coming.
 */
static int
ask_records(struct todo *t, struct input *in, struct reason *w)
{
	struct stream_in *s = in->stream;
	enum stream_event ev;
	char *name, *value;

	while ((ev = stream_next(s)) > STREAM_EOF) {
		if (ev != STREAM_REC)
			continue;
		if (!rec_is(&s->rec, "flag"))
			return reason_set(w, "usage",
			    "stdin:%llu: not a flag "
			    "record",
			    s->rec.lineno);
		name = rec_text(&s->rec, "name", NULL);
		value = rec_text(&s->rec, "new", NULL);
		if (name == NULL || value == NULL) {
			OPENSSL_free(name);
			OPENSSL_free(value);
			return reason_set(w, "record",
			    "stdin:%llu: name or new is not there, or not "
			    "base64",
			    s->rec.lineno);
		}
		if (!ask(t, name, value, w))
			return 0;
	}
	if (ev == STREAM_BROKEN)
		return reason_set(w, "record", "stdin:%llu: %s", s->rec.lineno,
		    s->why.detail);
	return 1;
}

static char *
copy(const char *s)
{
	char *p = OPENSSL_strdup(s);

	if (p == NULL)
		heap_nomem();
	return p;
}

/* Takes the operands: nothing, a name, or a name and a value. */
static int
ask_operands(struct todo *t, char *argv[], struct reason *w)
{
	const char *name = argv[0];
	size_t i;
	int ok = 1;

	if (name != NULL)
		return ask(t, copy(name),
		    argv[1] == NULL ? NULL : copy(argv[1]), w);
	for (i = 0; ok && (name = setting_name0(i)) != NULL; i++)
		ok = ask(t, copy(name), NULL, w);
	return ok;
}

/* Works all requests out. */
static int
want_all(struct todo *t, struct reason *w)
{
	size_t i;
	int ok = 1;

	for (i = 0; ok && i < t->nasked; i++)
		ok = want(t, t->asked[i].name, t->asked[i].value, w);
	return ok;
}

/* Checks a limit on KRACertCount that only the archive knows. */
static int
allowed(struct todo *t, const struct setting *s, struct reason *w)
{
	uint32_t n;

	if (strcmp(s->name, "KRACertCount") != 0 || !s->set)
		return 1;
	return agent_present_count(t->db, &n, w) &&
	    (s->new <= n ||
		reason_set(w, "flag",
		    "KRACertCount %u: "
		    "the archive has %u KRAs (0 means all)",
		    s->new, n));
}

/* Prints what was set now and does nothing. */
static void
say_idle(const struct setting *s)
{
	uint32_t idle = setting_idle(s->name, s->new & ~s->old);
	char symbols[256];

	setting_symbols(s->name, idle, symbols, sizeof(symbols));
	if (idle != 0)
		msg_warn("%s: kept, as on Windows, but without effect here",
		    *symbols == '\0' ? s->name : symbols);
}

/* Stores what changed, in one commit.  Returns 1, or 0 with *w. */
static int
store(struct todo *t, int dry, struct reason *w)
{
	char detail[256] = "", head[AUDIT_HEAD_MAX];
	const struct setting *s;
	size_t n = 0;

	for (s = t->v; s < t->v + t->n; s++) {
		if (!allowed(t, s, w))
			return 0;
		if (s->new == s->old || dry)
			continue;
		say_idle(s);
		if (!store_setting_set(t->db, s->name, s->new, w))
			return 0;
		n += (size_t)snprintf(detail + n, sizeof(detail) - n, "%s%s=%u",
		    n == 0 ? "" : " ", s->name, s->new);
	}
	if (n == 0)
		return 1;
	if (!store_commit(t->db, tool_caller(), "flag", detail, head, w))
		return 0;
	msg_warn("audit head: %s", head);
	return 1;
}

static void
print(const struct todo *t)
{
	struct rec_out *o = rec_out_new(stdout);
	const struct setting *s;
	char symbols[256];

	if (o == NULL)
		heap_nomem();
	for (s = t->v; s < t->v + t->n; s++) {
		if (msg_level > 0)
			certutil_view_setting(s->name, s->old, s->new, s->set,
			    msg_level > 1);
		rec_begin(o, "flag");
		rec_puts(o, "name", s->name);
		rec_put_u64(o, "old", s->old);
		rec_put_u64(o, "new", s->new);
		rec_puts(o, "set",
		    setting_symbols(s->name, s->new, symbols, sizeof(symbols)));
		if (rec_end(o) != 1)
			tool_lost();
	}
	if (rec_close(o) == -1)
		tool_lost();
	rec_out_free(o);
}

int
main(int argc, char *argv[])
{
	struct input in;
	struct todo todo;
	struct reason w;
	const char *path = NULL;
	size_t i;
	int c, dry = 0, writes, records, ok;

	tool_start();
	tool_changes();
	memset(&in, 0, sizeof(in));
	memset(&todo, 0, sizeof(todo));
	while ((c = tool_option(argc, argv, "d:n", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else
			dry = 1;
	argc -= optind;
	argv += optind;
	records = argc == 1 && strcmp(argv[0], "-") == 0;
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	if (argc > 2)
		tool_misused(usage, "one setting at a time, or - to read them");
	writes = !dry && (records || argc == 2);
	(void)tool_caller();
	if (!store_new(&todo.db, path, &w) ||
	    !store_open(todo.db, writes ? STORE_WRITE : STORE_READ, NULL, &w))
		msg_die("%s", w.detail);
	input_open(&in, NULL, NULL);
	sandbox_enter(store_dir0(todo.db));

	ok = records ? ask_records(&todo, &in, &w) :
		       ask_operands(&todo, argv, &w);
	ok = ok && (!writes || store_begin(todo.db, &w)) &&
	    want_all(&todo, &w) && store(&todo, dry, &w);
	store_rollback(todo.db);
	store_close(todo.db);
	if (!ok)
		msg_die("%s", w.detail);
	print(&todo);

	for (i = 0; i < todo.nasked; i++) {
		OPENSSL_free(todo.asked[i].name);
		OPENSSL_free(todo.asked[i].value);
	}
	input_close(&in);
	return tool_end(0);
}
