/* ca-setname(1): corrects names of the archive, and keeps what they were. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "ca/dump.h"
#include "ca/naming.h"
#include "proof/input.h"
#include "record/write.h"
#include "store/store.h"

#define RECORDS_MAX 100000 /* of one commit */

static const char usage[] = "[-nPqVv] -d db [id label:value ...]";

struct todo {
	struct store *db;
	struct naming *asked; /* n of them */
	size_t room, n;
	struct rec_out *out;
	unsigned long long set, same, refused;
};

static struct naming *
add(struct todo *t)
{
	struct naming *a;

	if (t->n == RECORDS_MAX)
		msg_die("more than %d names: give them in several runs",
		    RECORDS_MAX);
	t->asked = array_grow(t->asked, &t->room, t->n + 1, sizeof(*a));
	a = &t->asked[t->n++];
	memset(a, 0, sizeof(*a));
	a->name = NAME_NONE;
	return a;
}

/* Reads all records.  Nothing is locked yet: they may be long in coming. */
static void
read_records(struct todo *t, struct input *in)
{
	struct stream_in *s = in->stream;
	enum stream_event ev;
	struct reason w;

	while ((ev = stream_next(s)) > STREAM_EOF)
		if (ev == STREAM_REC &&
		    !naming_ask(add(t), &s->rec, s->rec.lineno, &w))
			msg_die("stdin:%llu: %s", s->rec.lineno, w.detail);
	if (ev == STREAM_BROKEN)
		input_broken(in);
}

/* Takes the operands: a row, and the parts of its new name. */
static void
read_operands(struct todo *t, char *argv[])
{
	struct naming *a = add(t);
	struct reason w;

	if (!naming_field(a, "id", *argv, &w))
		msg_die("%s", w.detail);
	while (*++argv != NULL) {
		char *value = strchr(*argv, ':');

		if (value == NULL)
			tool_misused(usage, "%s: no label, as in user:%s",
			    *argv, *argv);
		*value++ = '\0';
		if (!naming_field(a, *argv, value, &w))
			msg_die("%s", w.detail);
	}
}

/* Sets all names, in one commit.  Exits 2 if the archive fails. */
static void
set_all(struct todo *t, int dry, char head[AUDIT_HEAD_MAX])
{
	char detail[40];
	struct store_name n;
	struct reason w;
	size_t i;

	for (i = 0; i < t->n; i++)
		switch (naming_set(t->db, &t->asked[i], &n, dry, &w)) {
		case NAMING_SET:
			t->set++;
			if (!dump_name(t->out, &n, &w))
				msg_die("%s", w.detail);
			break;
		case NAMING_SAME:
			t->same++;
			break;
		case NAMING_REFUSED:
			t->refused++;
			if (t->asked[i].line == 0)
				msg_record("%s", w.detail);
			else
				msg_record("stdin:%llu: %s", t->asked[i].line,
				    w.detail);
			break;
		default:
			msg_die("%s", w.detail);
		}
	(void)snprintf(detail, sizeof(detail), "names=%llu", t->set);
	if (dry || t->set == 0)
		store_rollback(t->db);
	else if (!store_commit(t->db, tool_caller(), "name", detail, head, &w))
		msg_die("%s", w.detail);
}

int
main(int argc, char *argv[])
{
	char head[AUDIT_HEAD_MAX] = "", *text = NULL;
	const char *path = NULL;
	struct input in;
	struct todo t;
	struct reason w;
	size_t len = 0;
	FILE *mem;
	int c, dry = 0;

	tool_start();
	tool_changes();
	memset(&in, 0, sizeof(in));
	memset(&t, 0, sizeof(t));
	while ((c = tool_option(argc, argv, "d:nP", usage)) != -1)
		if (c == 'd')
			path = optarg;
		else if (c == 'n')
			dry = 1;
		else
			input_option(&in, c);
	argv += optind;
	if (path == NULL)
		tool_misused(usage, "-d db is missing: the archive");
	if (argc - optind == 1)
		tool_misused(usage, "what is the name of row %s to have?",
		    *argv);
	(void)tool_caller();
	if (!store_new(&t.db, path, &w) ||
	    !store_open(t.db, dry ? STORE_READ : STORE_WRITE, NULL, &w))
		msg_die("%s", w.detail);
	/* what is written is not said before the commit */
	if ((mem = open_memstream(&text, &len)) == NULL ||
	    (t.out = rec_out_new(mem)) == NULL)
		heap_nomem();
	if (*argv == NULL)
		input_open(&in, NULL, NULL);
	sandbox_enter(store_dir0(t.db));

	if (*argv == NULL)
		read_records(&t, &in);
	else
		read_operands(&t, argv);
	if (!dry && !store_begin(t.db, &w))
		msg_die("%s", w.detail);
	set_all(&t, dry, head);
	if (rec_close(t.out) == -1 || fclose(mem) == EOF)
		heap_nomem();
	if (!rec_write(stdout, text, len) || fflush(stdout) == EOF)
		tool_lost();
	msg_warn("names %llu, as they were %llu, refused %llu%s", t.set, t.same,
	    t.refused, dry ? " (-n: nothing was written)" : "");
	if (*head != '\0')
		msg_warn("audit head: %s", head);

	store_close(t.db);
	rec_out_free(t.out);
	free(text);
	while (t.n > 0)
		naming_free(&t.asked[--t.n]);
	OPENSSL_free(t.asked);
	input_close(&in);
	return tool_end(t.refused > 0 || t.set + t.same == 0);
}
