#include "unpack/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/tool.h"
#include "unpack/child.h"

const struct unpack_limits unpack_defaults = {
	.members = 1000000,
	.member = 16ULL << 20,
	.total = 64ULL << 30,
	.cpu = 20,
	.memory = 384ULL << 20,
	.warnings = 1000,
	.wait = 600,
	.kdf = 60,
	.kdfs = 86400,
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
		{ "wait", &l->wait },
		{ "kdf", &l->kdf },
		{ "kdfs", &l->kdfs },
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
		    "total=, cpu=, memory=, warnings=, wait=, kdf= or kdfs=",
		    spec);
	errno = 0;
	n = strtoull(eq + 1, &end, 10);
	u = *end == '\0' ? NULL : strchr(unit, *end);
	shift = u == NULL ? 0 : 10 * (int)(u - unit + 1);
	if (eq[1] < '0' || eq[1] > '9' || errno != 0 || n == 0 ||
	    end[u != NULL] != '\0' || n > UINT64_MAX >> 8 >> shift)
		return reason_set(w, "usage",
		    "-L %s: not a number above 0, "
		    "optionally followed by K, M or G",
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

	memset(w, 0, sizeof(*w));
	w->limits = *limits;
	w->backup = fd;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return reason_set(why, "input",
		    "stdin: cannot read: %s: tar -cf - -C DIR . | makes a "
		    "backup of a folder",
		    strerror(EISDIR));
	if (!spawn_start(&w->child, fd, child_run, &w->limits))
		return reason_set(why, "reader", "cannot start: %s",
		    strerror(errno));
	sandbox_may_kill(w->child.pid);
	return 1;
}

/*
 * Checks a write to the child.  Returns 1, or 0 if the child is gone, or asks
 * and does not read: both would wait for each other.
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
	(void)said(io_write_all(w->child.to, "", 1));
	w->started = 1;
}

/*
 * Gives the child password i of the member at w->path.  Returns 1, or 0 if it
 * is not taken, or is for another member before the last was reported.
 */
static int
answer(struct unpack *w, uint64_t i)
{
	char path[256];
	const char *s = NULL;

	if (w->asked != NULL && strcmp(w->asked, w->path) != 0)
		return 0;
	if (w->asked == NULL && (w->asked = OPENSSL_strdup(w->path)) == NULL)
		heap_nomem();
	if (w->pass != NULL && i <= SECRETS_MAX)
		s = w->pass(w->ctx, w->path, (size_t)i);
	if (s != NULL && *s != '\0' && !w->said) {
		msg_warn("%s: encrypted by the archive: the process that reads "
			 "it is given the passwords",
		    text_vis(path, sizeof(path), w->path, w->pathlen));
		w->said = 1;
	}
	return said(frame_answer(w->child.to, s));
}

/* Returns 1 if the event ends the member that was asked for. */
static int
told(struct unpack *w, uint32_t event)
{
	size_t n = strlen(w->asked);
	int own = w->pathlen >= n && memcmp(w->path, w->asked, n) == 0 &&
	    (w->path[n] == '\0' || w->path[n] == '/');

	OPENSSL_free(w->asked);
	w->asked = NULL;
	return own || event == UNPACK_END ||
	    (event == UNPACK_FAULT && w->pathlen == 0);
}

/* Makes the last event: the parent sees a ceiling passed. */
static enum unpack_event
ceiling(struct unpack *w, const char *name, uint64_t value)
{
	w->over = 1;
	w->pathlen = 0;
	reason_set(&w->why, "ceiling",
	    "the archive passes the ceiling %s=%" PRIu64 ": raise it with -L "
	    "%s=",
	    name, value, name);
	return UNPACK_FAULT;
}

/*
 * Handles a second without data from the child.  Returns 1, or 0 after a
 * ceiling: it works for too long, or not at all though it could read more.
 */
static int
tick(struct unpack *w)
{
	struct pollfd p = { .fd = w->backup, .events = POLLIN };
	struct timespec t = { 0, 0 };
	clockid_t clock;
	double now;

	if (clock_getcpuclockid(w->child.pid, &clock) == 0)
		(void)clock_gettime(clock, &t);
	now = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	if (w->cpu_then < 0)
		w->cpu_then = now;
	w->idle = now > w->cpu || io_poll(&p, 1, 0) == 0 ? 0 : w->idle + 1;
	w->cpu = now;
	if (now - w->cpu_then > (double)w->limits.cpu + 1)
		(void)ceiling(w, "cpu", w->limits.cpu);
	else if (w->idle >= w->limits.wait)
		(void)ceiling(w, "wait", w->limits.wait);
	return !w->over;
}

/*
 * Reads up to n bytes as they come.  Returns their number, or 0 if the child is
 * gone or at a ceiling.
 */
static size_t
receive_some(struct unpack *w, void *p, size_t n)
{
	struct pollfd fd = { .fd = w->child.from, .events = POLLIN };
	ssize_t k;

	while ((k = io_poll(&fd, 1, 1000)) <= 0)
		if (k == 0 && !tick(w))
			return 0;
	if ((k = io_read(w->child.from, p, n)) == -1)
		msg_die("cannot read from the archive reader: %s",
		    strerror(errno));
	return (size_t)k;
}

/*
 * Reads n bytes, few of those at hand: a system call may cost as much as
 * parsing a certificate.  Returns 1, or 0 if the child is gone or at a ceiling.
 */
static int
receive(struct unpack *w, void *p, size_t n)
{
	char *s = p;
	size_t k;

	w->cpu_then = -1;
	w->idle = 0;
	for (; n > 0; s += k, n -= k) {
		if (w->nhave == 0 && n >= sizeof(w->have)) {
			if ((k = receive_some(w, s, n)) == 0)
				return 0;
			continue;
		}
		if (w->nhave == 0) {
			w->nhave = receive_some(w, w->have, sizeof(w->have));
			w->next = w->have;
		}
		if (w->nhave == 0)
			return 0;
		k = n < w->nhave ? n : w->nhave;
		memcpy(s, w->next, k);
		OPENSSL_cleanse(w->next, k);
		w->next += k;
		w->nhave -= k;
	}
	return 1;
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

/* Reports why the child died, or was ended. */
static enum unpack_event
died(struct unpack *w)
{
	int status = spawn_kill(&w->child);

	if (w->over)
		return UNPACK_FAULT;
	/* libarchive exits where it is out of memory */
	if (status == 1)
		return ceiling(w, "memory", w->limits.memory);
	if (status == -SIGXCPU)
		return ceiling(w, "cpu", w->limits.cpu);
	w->over = 1;
	w->pathlen = 0;
	if (status < 0)
		reason_set(&w->why, "reader",
		    "the archive reader was killed by signal "
		    "%d (%s): the archive is hostile, or libarchive has a "
		    "fault",
		    -status, strsignal(-status));
	else
		reason_set(&w->why, "reader", "the archive reader stopped");
	return UNPACK_FAULT;
}

/* Returns the static string of a reason token that the child may use. */
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

/* Returns how much data a frame may have; UINT64_MAX: no such frame. */
static uint64_t
longest(const struct unpack *w, uint32_t event)
{
	switch (event) {
	case UNPACK_END:
	case UNPACK_DATABASE:
	case FRAME_PROGRESS:
		return 0;
	case UNPACK_MEMBER:
		return w->limits.member;
	case UNPACK_BIG:
		return FRAME_HEAD;
	case UNPACK_PIECE:
	case UNPACK_VALUE:
		return UNPACK_PIECE_BYTES;
	case UNPACK_PIECES_END:
	case UNPACK_DATABASE_END:
	case UNPACK_FAULT:
	case UNPACK_NOTE:
		return FRAME_TEXT;
	default:
		return UINT64_MAX;
	}
}

/*
 * Counts a frame, since the archive may control the child that should.  Returns
 * 1, or 0 after a ceiling.
 */
static int
count(struct unpack *w, const struct frame *f)
{
	const struct unpack_limits *max = &w->limits;

	w->members += f->event == UNPACK_MEMBER || f->event == UNPACK_BIG ||
	    f->event == UNPACK_DATABASE;
	if (f->event == UNPACK_MEMBER || f->event == UNPACK_PIECE)
		w->bytes += f->len;
	else if (f->event == UNPACK_VALUE)
		w->bytes += f->len + sizeof(*f);
	else if (f->event == FRAME_PROGRESS)
		w->steps++;
	else
		w->others++; /* several to a member, and to a password */
	if (w->members > max->members ||
	    w->others / 16 > max->members + max->warnings + SECRETS_MAX)
		(void)ceiling(w, "members", max->members);
	/* what is encrypted may be read twice */
	else if (w->bytes > max->total ||
	    w->steps > 2 * (max->total / FRAME_STEP + 1))
		(void)ceiling(w, "total", max->total);
	return !w->over;
}

/* Takes path and data of one event.  Returns 1, or 0 if the child is gone. */
static int
take(struct unpack *w, const struct frame *f)
{
	size_t len = f->event == FRAME_ASK ? 0 : (size_t)f->len;

	if (f->event == FRAME_PROGRESS)
		return f->pathlen == 0;
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
	struct pollfd p = { .fd = w->child.from, .events = POLLIN };

	return w->over || w->nhave > 0 || io_poll(&p, 1, 0) != 0;
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
	    count(w, &f) && take(w, &f)) {
		f.reason[sizeof(f.reason) - 1] = '\0';
		w->why.reason = NULL;
		if (f.event == FRAME_ASK && !answer(w, f.len))
			break;
		if (f.event == FRAME_ASK || f.event == FRAME_PROGRESS)
			continue;
		if (w->asked != NULL && !told(w, f.event))
			break;
		if (w->len > 0 && longest(w, f.event) == FRAME_TEXT)
			reason_set(&w->why, reason_of(f.reason), "%s",
			    (char *)w->data);
		if (w->why.reason == NULL &&
		    (f.event == UNPACK_FAULT || f.event == UNPACK_NOTE ||
			f.event == UNPACK_DATABASE_END))
			break; /* they always say why */
		w->over = f.event == UNPACK_END;
		return (enum unpack_event)f.event;
	}
	return died(w);
}

void
unpack_stop(struct unpack *w)
{
	(void)spawn_kill(&w->child);
	OPENSSL_free(w->asked);
	OPENSSL_clear_free(w->path, w->pathcap);
	OPENSSL_clear_free(w->data, w->datacap);
	OPENSSL_cleanse(w, sizeof(*w));
}
