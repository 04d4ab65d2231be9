#include "unpack/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "base/tool.h"
#include "unpack/child.h"

const struct unpack_limits unpack_defaults = {
	.members = 1000000,
	.member = 16ULL << 20,
	.total = 64ULL << 30,
	.cpu = 20,
	.memory = 384ULL << 20,
	.warnings = 1000,
};

static uint64_t *
limit_of(struct unpack_limits *l, const char *name, size_t n)
{
	const struct {
		const char *name;
		uint64_t *v;
	} all[] = {
		{ "members", &l->members },
		{ "member", &l->member },
		{ "total", &l->total },
		{ "cpu", &l->cpu },
		{ "memory", &l->memory },
		{ "warnings", &l->warnings },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strlen(all[i].name) == n &&
		    memcmp(all[i].name, name, n) == 0)
			return all[i].v;
	return NULL;
}

int
unpack_limit(struct unpack_limits *l, const char *spec, struct reason *w)
{
	static const char unit[] = "KMG";
	const char *eq = strchr(spec, '='), *u;
	uint64_t *v, n;
	char *end;
	int shift;

	if (eq == NULL || (v = limit_of(l, spec, (size_t)(eq - spec))) == NULL)
		return reason_set(w, "usage",
		    "-L %s: not members=, member=, "
		    "total=, cpu=, memory= or warnings=",
		    spec);
	errno = 0;
	n = strtoull(eq + 1, &end, 10);
	u = *end == '\0' ? NULL : strchr(unit, *end);
	shift = u == NULL ? 0 : 10 * (int)(u - unit + 1);
	if (eq[1] < '0' || eq[1] > '9' || errno != 0 || n == 0 ||
	    end[u != NULL] != '\0' || n > UINT64_MAX >> 8 >> shift)
		return reason_set(w, "usage",
		    "-L %s: not a number above 0, with "
		    "K, M or G behind it if need be",
		    spec);
	if (v == &l->member && n << shift > 1ULL << 30)
		return reason_set(w, "usage",
		    "-L %s: a member is held in memory: at most 1G", spec);
	*v = n << shift;
	return 1;
}

int
unpack_start(struct unpack *w, int fd, const struct unpack_limits *limits,
    struct reason *why)
{
	struct stat st;
	int p[2], go[2];

	memset(w, 0, sizeof(*w));
	w->limits = *limits;
	w->from = w->to = -1;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return reason_set(why, "input",
		    "stdin: cannot read: %s: tar -cf - -C DIR . | makes a "
		    "backup of a folder",
		    strerror(EISDIR));
	if (pipe2(p, O_CLOEXEC) == -1 || pipe2(go, O_CLOEXEC) == -1)
		return reason_set(why, "reader", "cannot start: %s",
		    strerror(errno));
	(void)fcntl(p[1], F_SETPIPE_SZ, UNPACK_PIECE_BYTES);
	if ((w->pid = fork()) == -1)
		return reason_set(why, "reader", "cannot start: %s",
		    strerror(errno));
	if (w->pid == 0) {
		(void)close(go[1]);
		child_run(fd, p[1], go[0], limits);
	}
	(void)close(p[1]);
	(void)close(go[0]);
	w->from = p[0];
	sandbox_may_kill(w->pid);
	w->to = go[1];
	(void)fcntl(w->to, F_SETFL, O_NONBLOCK);
	return 1;
}

/*
 * What became of something written to the child.  Returns 1, or 0 if the child is
 * gone, or asks and does not read: both would wait for each other.
 */
static int
said(int written)
{
	if (!written && errno != EPIPE && errno != EAGAIN)
		msg_die("cannot write to the archive reader: %s",
		    strerror(errno));
	return written;
}

/* Lets the child read. */
static void
go(struct unpack *w)
{
	struct iovec v = { (char[]){ 0 }, 1 };

	(void)said(frame_write(w->to, &v, 1));
	w->started = 1;
}

/* Gives the child password i.  Returns 1, or 0 if it does not take it. */
static int
answer(struct unpack *w, uint64_t i)
{
	return said(frame_answer(w->to,
	    w->pass == NULL || i > SECRETS_MAX ?
		NULL :
		w->pass(w->ctx, w->path, (size_t)i)));
}

/* Reads n bytes.  Returns 1, or 0 if the child is gone. */
static int
receive(struct unpack *w, void *p, size_t n)
{
	int r = frame_read(w->from, p, n);

	if (r == -1)
		msg_die("cannot read from the archive reader: %s",
		    strerror(errno));
	return r;
}

/* Makes room for n bytes and a NUL; what was there is wiped. */
static int
room(void **p, size_t *cap, size_t n)
{
	if (n + 1 <= *cap)
		return 1;
	OPENSSL_clear_free(*p, *cap);
	*cap = 2 * n + 4096;
	*p = OPENSSL_malloc(*cap);
	return *p != NULL;
}

/* The child died: why. */
static enum unpack_event
died(struct unpack *w)
{
	int status = 0;

	w->over = 1;
	w->pathlen = 0;
	(void)kill(w->pid, SIGKILL);
	(void)waitpid(w->pid, &status, 0);
	w->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		/* libarchive does so where it is out of memory */
		reason_set(&w->why, "ceiling",
		    "the archive passes the ceiling "
		    "memory=%" PRIu64 ": raise it with -L memory=",
		    w->limits.memory);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		reason_set(&w->why, "ceiling",
		    "the archive passes the ceiling "
		    "cpu=%" PRIu64 ": raise it with -L cpu=",
		    w->limits.cpu);
	else if (WIFSIGNALED(status))
		reason_set(&w->why, "reader",
		    "the archive reader died of signal "
		    "%d (%s): the archive is hostile, or libarchive has a "
		    "fault",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		reason_set(&w->why, "reader", "the archive reader stopped");
	return UNPACK_FAULT;
}

/* The reason tokens that the child may use, as static strings. */
static const char *
reason_of(const char *s)
{
	static const char *const all[] = { "cut", "ceiling", "damaged", "empty",
		"link", "password", "reader", "unsupported" };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i], s) == 0)
			return all[i];
	return "damaged";
}

/* How much data may come with an event; UINT64_MAX if there is no such. */
static uint64_t
longest(const struct unpack *w, uint32_t event)
{
	switch (event) {
	case UNPACK_END:
		return 0;
	case UNPACK_MEMBER:
		return w->limits.member;
	case UNPACK_BIG:
		return FRAME_HEAD;
	case UNPACK_PIECE:
		return UNPACK_PIECE_BYTES;
	case UNPACK_PIECES_END:
	case UNPACK_FAULT:
	case UNPACK_NOTE:
		return FRAME_TEXT;
	default:
		return UINT64_MAX;
	}
}

/* Takes path and data of one event.  Returns 1, or 0 if the child is gone. */
static int
take(struct unpack *w, const struct frame *f)
{
	size_t len = f->event == FRAME_ASK ? 0 : (size_t)f->len;

	if (f->event != UNPACK_PIECE && f->event != UNPACK_PIECES_END) {
		if (!room((void **)&w->path, &w->pathcap, f->pathlen) ||
		    !receive(w, w->path, f->pathlen))
			return 0;
		w->pathlen = f->pathlen;
		w->path[w->pathlen] = '\0';
	}
	if (!room((void **)&w->data, &w->datacap, len) ||
	    !receive(w, w->data, len))
		return 0;
	w->len = len;
	w->data[w->len] = '\0';
	return 1;
}

int
unpack_ready(const struct unpack *w)
{
	struct pollfd p = { .fd = w->from, .events = POLLIN };

	return w->over || poll(&p, 1, 0) != 0;
}

enum unpack_event
unpack_next(struct unpack *w)
{
	struct frame f;

	if (w->over)
		return UNPACK_END;
	if (!w->started)
		go(w);
	/* the last member may hold keys in the clear */
	if (w->data != NULL)
		OPENSSL_cleanse(w->data, w->len);
	if (!unpack_ready(w))
		tool_wait();
	/* the child may be in the hands of the archive: believe nothing */
	while (receive(w, &f, sizeof(f)) && f.pathlen <= PATH_BYTES_MAX &&
	    (f.event == FRAME_ASK ||
		(longest(w, f.event) < UINT64_MAX &&
		    f.len <= longest(w, f.event))) &&
	    take(w, &f)) {
		f.reason[sizeof(f.reason) - 1] = '\0';
		w->why.reason = NULL;
		if (f.event == FRAME_ASK) {
			if (!answer(w, f.len))
				break;
			continue;
		}
		if (w->len > 0 && longest(w, f.event) == FRAME_TEXT)
			reason_set(&w->why, reason_of(f.reason), "%s",
			    (char *)w->data);
		if (f.event == UNPACK_FAULT && w->why.reason == NULL)
			break; /* a fault always says why */
		w->over = f.event == UNPACK_END;
		return (enum unpack_event)f.event;
	}
	return died(w);
}

void
unpack_stop(struct unpack *w)
{
	if (w->from != -1)
		(void)close(w->from);
	if (w->to != -1)
		(void)close(w->to);
	if (w->pid > 0) {
		(void)kill(w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
	}
	OPENSSL_clear_free(w->path, w->pathcap);
	OPENSSL_clear_free(w->data, w->datacap);
	memset(w, 0, sizeof(*w));
}
