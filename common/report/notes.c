#include "report/notes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/tool.h"

static void
notes_lost(void)
{
	msg_die("cannot write the temporary file: %s (set TMPDIR)",
	    strerror(errno));
}

void
notes_init(struct notes *n)
{
	if ((n->fp = fdopen(tool_tmpfile(), "w+")) == NULL ||
	    (n->out = rec_out_new(n->fp)) == NULL)
		heap_nomem();
}

void
notes_free(struct notes *n)
{
	rec_out_free(n->out);
	(void)fclose(n->fp);
}

void
notes_begin(struct notes *n, const char *type, const struct rec *r,
    const char *labels)
{
	char label[32];
	size_t len;

	rec_begin(n->out, type);
	for (; *labels != '\0'; labels += len + (labels[len] == ' ')) {
		len = strcspn(labels, " ");
		(void)snprintf(label, sizeof(label), "%.*s", (int)len, labels);
		rec_put_field(n->out, r, label);
	}
}

void
notes_end(struct notes *n)
{
	if (rec_end(n->out) == -1)
		notes_lost();
}

void
notes_each(struct notes *n, void (*each)(void *, const struct rec *), void *arg)
{
	struct rec_in *in;
	struct rec r;
	struct reason w;
	int rc;

	if (fflush(n->fp) == EOF || lseek(fileno(n->fp), 0, SEEK_SET) == -1)
		notes_lost();
	if ((in = rec_in_new(fileno(n->fp))) == NULL)
		heap_nomem();
	while ((rc = rec_in_read(in, &r, &w)) == 1)
		each(arg, &r);
	rec_in_free(in);
	if (rc == -1)
		msg_die("the temporary file: %s", w.detail);
}
