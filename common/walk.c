#include "walk.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

#define PATH_BYTES_MAX (64 * 1024)
#define HEAD_BYTES     4096 /* of a member past the ceiling */
#define BLOCK	       (64 * 1024)
#define TEXT_MAX       4096 /* bytes of a fault or note */
#define LINK	       "a link: not followed"

const struct walk_limits walk_defaults = {
	.members = 1000000,
	.member = 16ULL << 20,
	.total = 64ULL << 30,
	.cpu = 600,
	.memory = 1ULL << 30,
	.warnings = 1000,
};

/* What goes over the pipe in front of path and data. */
struct frame {
	uint32_t event, pathlen;
	uint64_t len;
	char reason[16];
};

static uint64_t *
limit_of(struct walk_limits *l, const char *name, size_t n)
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
walk_limit(struct walk_limits *l, const char *spec, struct why *w)
{
	static const char unit[] = "KMG";
	const char *eq = strchr(spec, '='), *u;
	uint64_t *v, n;
	char *end;
	int shift;

	if (eq == NULL || (v = limit_of(l, spec, (size_t)(eq - spec))) == NULL)
		return why_set(w, "usage",
		    "-L %s: not members=, member=, "
		    "total=, cpu=, memory= or warnings=",
		    spec);
	errno = 0;
	n = strtoull(eq + 1, &end, 10);
	u = *end == '\0' ? NULL : strchr(unit, *end);
	shift = u == NULL ? 0 : 10 * (int)(u - unit + 1);
	if (eq[1] < '0' || eq[1] > '9' || errno != 0 || n == 0 ||
	    end[u != NULL] != '\0' || n > UINT64_MAX >> 8 >> shift)
		return why_set(w, "usage",
		    "-L %s: not a number above 0, with "
		    "K, M or G behind it if need be",
		    spec);
	*v = n << shift;
	return 1;
}

/* The child ----------------------------------------------------------- */

struct child {
	int in, out;
	struct walk_limits limits;
	struct archive *a;
	char first[8]; /* read ahead from a pipe */
	ssize_t nfirst;
	char block[BLOCK];
	uint8_t *data;
	uint64_t members, total, warnings;
};

static void
send_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	ssize_t k;

	while (n > 0) {
		if ((k = write(fd, s, n)) == -1) {
			if (errno == EINTR)
				continue;
			_exit(1);
		}
		s += k;
		n -= (size_t)k;
	}
}

static void
report(struct child *c, enum walk_event event, const char *reason,
    const char *path, const void *data, size_t len)
{
	struct frame f;

	memset(&f, 0, sizeof(f));
	f.event = event;
	f.pathlen = (uint32_t)(path == NULL ? 0 :
					      strnlen(path, PATH_BYTES_MAX));
	f.len = len;
	if (reason != NULL)
		(void)snprintf(f.reason, sizeof(f.reason), "%s", reason);
	send_all(c->out, &f, sizeof(f));
	send_all(c->out, path, f.pathlen);
	send_all(c->out, data, len);
}

static void
fault(struct child *c, const char *reason, const char *path, const char *text)
{
	report(c, WALK_FAULT, reason, path, text, strnlen(text, TEXT_MAX));
}

/* A ceiling on the archive: says which, and how to raise it. */
static void
ceiling(struct child *c, const char *path, const char *name, uint64_t v)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "the archive passes the ceiling "
	    "%s=%" PRIu64 ": raise it with -L %s=",
	    name, v, name);
	fault(c, "ceiling", path, text);
}

/*
 * The reason behind an error of libarchive.  It says nothing where it wanted
 * more bytes; zlib and liblzma have codes for that.
 */
static const char *
reason(const char *s)
{
	if (s == NULL || strcasestr(s, "truncated") != NULL ||
	    strcmp(s, "ZIP decompression failed (-5)") == 0 ||
	    strstr(s, "No progress is possible") != NULL)
		return "cut";
	return strcasestr(s, "encrypt") != NULL ? "password" : "damaged";
}

/* Whatever libarchive says of an error, as a fault. */
static void
failed(struct child *c, const char *path)
{
	const char *s = archive_error_string(c->a);

	if (archive_errno(c->a) == ENOMEM ||
	    (s != NULL && strcasestr(s, "allocate") != NULL))
		ceiling(c, path, "memory", c->limits.memory);
	else
		fault(c, reason(s), path,
		    s == NULL ? "the archive ends early, or is damaged" : s);
}

static ssize_t
pipe_read(struct archive *a, void *ctx, const void **buf)
{
	struct child *c = ctx;
	ssize_t n;

	*buf = c->block;
	if (c->nfirst > 0) {
		n = c->nfirst;
		memcpy(c->block, c->first, (size_t)n);
		c->nfirst = 0;
		return n;
	}
	do
		n = read(c->in, c->block, sizeof(c->block));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		archive_set_error(a, errno, "cannot read: %s", strerror(errno));
	return n;
}

/* Copies the pipe into an anonymous memory file.  Its fd, or -1. */
static int
to_memory(struct child *c)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	const void *buf;
	uint64_t all = 0;
	ssize_t n;

	while (fd != -1 && (n = pipe_read(c->a, c, &buf)) > 0) {
		if ((all += (uint64_t)n) > c->limits.memory)
			return -1;
		send_all(fd, buf, (size_t)n);
	}
	return fd;
}

static int
open_archive(struct child *c)
{
	int fd = c->in;

	if (lseek(c->in, 0, SEEK_CUR) == -1) {
		while (c->nfirst < 6) {
			ssize_t n = read(c->in, c->first + c->nfirst,
			    (size_t)(6 - c->nfirst));

			if (n == -1 && errno == EINTR)
				continue;
			if (n <= 0)
				break;
			c->nfirst += n;
		}
		/* 7z keeps its directory at the end: it must seek */
		if (c->nfirst < 6 || memcmp(c->first, "7z\xbc\xaf\x27\x1c", 6))
			return archive_read_open(c->a, c, NULL, pipe_read,
			    NULL);
		if ((fd = to_memory(c)) == -1) {
			ceiling(c, NULL, "memory", c->limits.memory);
			return 1;
		}
		(void)lseek(fd, 0, SEEK_SET);
	}
	return archive_read_open_fd(c->a, fd, BLOCK);
}

/* One by one: not mtree (opens local files), no filter that runs programs. */
static void
support(struct archive *a)
{
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_filter_uu(a);
	(void)archive_read_support_format_tar(a);
	(void)archive_read_support_format_cpio(a);
	(void)archive_read_support_format_zip(a);
	(void)archive_read_support_format_7zip(a);
	(void)archive_read_support_format_cab(a);
	(void)archive_read_support_format_iso9660(a);
	(void)archive_read_support_format_rar(a);
	(void)archive_read_support_format_rar5(a);
	(void)archive_read_support_format_lha(a);
	(void)archive_read_support_format_ar(a);
	(void)archive_read_support_format_warc(a);
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_format_empty(a);
}

static void
note(struct child *c, const char *path, const char *text)
{
	report(c, WALK_NOTE, NULL, path, text, strnlen(text, TEXT_MAX));
}

/* Counts a warning, or an entry lost.  Returns 0 when there are too many. */
static int
warning(struct child *c, int r)
{
	const char *s = archive_error_string(c->a);

	if (++c->warnings > c->limits.warnings) {
		ceiling(c, NULL, "warnings", c->limits.warnings);
		return 0;
	}
	if (r == ARCHIVE_FAILED)
		failed(c, NULL);
	else
		note(c, NULL, s == NULL ? "warning" : s);
	return 1;
}

/* The member of a tar is whole, only its padding was cut off. */
static int
all_but_padding(struct child *c, struct archive_entry *e, size_t len)
{
	return (archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    archive_entry_size_is_set(e) &&
	    archive_entry_size(e) == (int64_t)len &&
	    strcmp(reason(archive_error_string(c->a)), "cut") == 0;
}

/*
 * Reads the data of one member and sends it; a link may have none.  Returns 0
 * to end the walk.
 */
static int
member(struct child *c, struct archive_entry *e, const char *path, int link)
{
	size_t len = 0, max = (size_t)c->limits.member, to = max + 1;
	ssize_t n;

	/* what comes in one call with an error is lost: first all but its end */
	if (archive_entry_size(e) > 0 && archive_entry_size(e) <= (int64_t)max)
		to = (size_t)archive_entry_size(e);
	while (len <= max &&
	    (n = archive_read_data(c->a, c->data + len,
		 (len < to ? to : max + 1) - len)) != 0) {
		if (n == ARCHIVE_RETRY)
			continue;
		if (n < 0) {
			if (len > 0 && all_but_padding(c, e, len))
				report(c, WALK_MEMBER, NULL, path, c->data,
				    len);
			else
				failed(c, path);
			if (n == ARCHIVE_FATAL)
				fault(c, reason(archive_error_string(c->a)),
				    NULL,
				    "the archive cannot be read any further");
			return n != ARCHIVE_FATAL;
		}
		len += (size_t)n;
		if ((c->total += (uint64_t)n) > c->limits.total) {
			ceiling(c, NULL, "total", c->limits.total);
			return 0;
		}
	}
	if (len == 0 && link)
		note(c, path, LINK);
	else if (len > max)
		report(c, WALK_BIG, NULL, path, c->data,
		    HEAD_BYTES < max ? HEAD_BYTES : max);
	else
		report(c, WALK_MEMBER, NULL, path, c->data, len);
	return 1;
}

/* Returns 0 to end the walk. */
static int
entry(struct child *c, struct archive_entry *e)
{
	const char *path;
	int link;

	path = archive_entry_pathname_utf8(e);
	if (path == NULL)
		path = archive_entry_pathname(e);
	if (path == NULL)
		path = "";
	if (archive_format(c->a) == ARCHIVE_FORMAT_RAW)
		path = "stdin";
	/* a cpio may have the data with the last name of a file only */
	link = archive_entry_hardlink(e) != NULL;
	if (archive_entry_filetype(e) == AE_IFLNK ||
	    (link && archive_entry_size(e) == 0)) {
		note(c, path, LINK);
		return 1;
	}
	/* some formats do not say what an entry is */
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != 0)
		return 1;
	if (++c->members > c->limits.members) {
		ceiling(c, NULL, "members", c->limits.members);
		return 0;
	}
	if (archive_entry_is_data_encrypted(e) == 1 ||
	    archive_entry_is_metadata_encrypted(e) == 1) {
		fault(c, "password", path,
		    "the archive encrypts it: unpack it "
		    "with its own tool and feed the files in");
		return 1;
	}
	return member(c, e, path, link);
}

/*
 * A tar ends in blocks of zeros; libarchive does not mind if they are gone
 * because the file was cut there.
 */
static int
tar_cut(struct child *c, int64_t before)
{
	return (archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    archive_filter_bytes(c->a, 0) < (before + 511) / 512 * 512 + 512;
}

/*
 * Reads a pipe to its end: some formats have more behind the last member, and
 * the writer must not die of it.
 */
static void
drain(struct child *c)
{
	ssize_t n;

	if (lseek(c->in, 0, SEEK_CUR) != -1)
		return;
	do
		n = read(c->in, c->block, sizeof(c->block));
	while (n > 0 || (n == -1 && errno == EINTR));
}

static void
walk(struct child *c)
{
	struct archive_entry *e;
	int64_t before = 0;
	int r;

	while ((r = archive_read_next_header(c->a, &e)) != ARCHIVE_EOF) {
		if (r == ARCHIVE_RETRY)
			continue;
		if ((r == ARCHIVE_WARN || r == ARCHIVE_FAILED) &&
		    !warning(c, r))
			return;
		if (r == ARCHIVE_FAILED)
			continue;
		if (r != ARCHIVE_FATAL && !entry(c, e))
			return;
		if (r == ARCHIVE_FATAL ||
		    archive_read_data_skip(c->a) == ARCHIVE_FATAL) {
			failed(c, NULL);
			return;
		}
		before = archive_filter_bytes(c->a, 0);
	}
	if (archive_format(c->a) == ARCHIVE_FORMAT_EMPTY &&
	    archive_filter_count(c->a) == 1)
		fault(c, "empty", NULL, "empty input: expected a backup");
	else if (tar_cut(c, before))
		fault(c, "cut", NULL,
		    "no end-of-archive marker: the archive "
		    "was cut between two members");
	else
		drain(c);
}

/* Past the soft limit of CPU time SIGXCPU comes, past the hard one SIGKILL. */
static void
limit(int resource, uint64_t v)
{
	struct rlimit r = { v, v + 5 };

	(void)setrlimit((unsigned)resource, &r);
}

static void
child(struct child *c)
{
	limit(RLIMIT_CPU, c->limits.cpu);
#ifndef SANITIZE /* it maps terabytes */
	limit(RLIMIT_AS, c->limits.memory + c->limits.member + (64ULL << 20));
#endif
	sandbox_enter(NULL);
	c->data = malloc((size_t)c->limits.member + 1);
	if (c->data == NULL || (c->a = archive_read_new()) == NULL) {
		ceiling(c, NULL, "memory", c->limits.memory);
		return;
	}
	support(c->a);
	/* a backup may be several archives one behind the other */
	(void)archive_read_set_options(c->a, "tar:read_concatenated_archives");
	switch (open_archive(c)) {
	case ARCHIVE_OK:
	case ARCHIVE_WARN:
		walk(c);
		break;
	case 1: /* said already */
		break;
	default:
		failed(c, NULL);
	}
}

/*
 * Waits until the parent wants to read, and gives up what it does not need:
 * descriptors and the environment may be where passwords are.
 */
static void
begin(int in, int out, int go)
{
	char byte, **v;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_DFL); /* the parent is gone */
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(2);
	for (v = environ; *v != NULL; v++)
		OPENSSL_cleanse(*v, strlen(*v));
	if (read(go, &byte, 1) != 1)
		_exit(0);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
}

/* The parent ---------------------------------------------------------- */

int
walk_start(struct walk *w, int fd, const struct walk_limits *limits,
    struct why *why)
{
	static struct child c = { .in = STDIN_FILENO, .out = STDOUT_FILENO };
	struct stat st;
	int p[2], go[2];

	memset(w, 0, sizeof(*w));
	w->limits = *limits;
	w->fd = w->go = -1;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return why_set(why, "input", "stdin: cannot read: %s",
		    strerror(EISDIR));
	if (pipe2(p, O_CLOEXEC) == -1 || pipe2(go, O_CLOEXEC) == -1 ||
	    (w->pid = fork()) == -1)
		return why_set(why, "reader", "cannot start: %s",
		    strerror(errno));
	if (w->pid == 0) {
		(void)close(go[1]);
		begin(fd, p[1], go[0]);
		c.limits = *limits;
		child(&c);
		report(&c, WALK_END, NULL, NULL, NULL, 0);
		_exit(0);
	}
	(void)close(p[1]);
	(void)close(go[0]);
	w->fd = p[0];
	w->go = go[1];
	return 1;
}

/* Lets the child read.  What went wrong there shows when it is asked. */
static void
go(struct walk *w)
{
	(void)!write(w->go, "", 1);
	(void)close(w->go);
	w->go = -1;
}

/* Reads n bytes.  Returns 1, or 0 if the child is gone. */
static int
receive(struct walk *w, void *p, size_t n)
{
	char *s = p;
	ssize_t k;

	while (n > 0) {
		if ((k = read(w->fd, s, n)) == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return 0;
		s += k;
		n -= (size_t)k;
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

/* The child died: why. */
static enum walk_event
died(struct walk *w)
{
	int status = 0;

	w->over = 1;
	w->pathlen = 0;
	(void)kill(w->pid, SIGKILL);
	(void)waitpid(w->pid, &status, 0);
	w->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		/* libarchive does so where it is out of memory */
		why_set(&w->why, "ceiling",
		    "the archive passes the ceiling "
		    "memory=%" PRIu64 ": raise it with -L memory=",
		    w->limits.memory);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		why_set(&w->why, "ceiling",
		    "the archive passes the ceiling "
		    "cpu=%" PRIu64 ": raise it with -L cpu=",
		    w->limits.cpu);
	else if (WIFSIGNALED(status))
		why_set(&w->why, "reader",
		    "the archive reader died of signal "
		    "%d (%s): the archive is hostile, or libarchive has a "
		    "fault",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		why_set(&w->why, "reader", "the archive reader stopped");
	return WALK_FAULT;
}

/* The reason tokens that the child may use, as static strings. */
static const char *
reason_of(const char *s)
{
	static const char *const all[] = { "cut", "ceiling", "damaged", "empty",
		"password", "reader" };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i], s) == 0)
			return all[i];
	return "damaged";
}

static int
is_data(uint32_t event)
{
	return event == WALK_MEMBER || event == WALK_BIG;
}

enum walk_event
walk_next(struct walk *w)
{
	struct frame f;

	if (w->over)
		return WALK_END;
	if (w->go != -1)
		go(w);
	/* the child may be in the hands of the archive: believe nothing */
	if (!receive(w, &f, sizeof(f)) || f.event > WALK_NOTE ||
	    f.pathlen > PATH_BYTES_MAX ||
	    f.len > (is_data(f.event) ? w->limits.member : TEXT_MAX) ||
	    !room((void **)&w->path, &w->pathcap, f.pathlen) ||
	    !room((void **)&w->data, &w->datacap, (size_t)f.len) ||
	    !receive(w, w->path, f.pathlen) ||
	    !receive(w, w->data, (size_t)f.len))
		return died(w);
	w->pathlen = f.pathlen;
	w->len = (size_t)f.len;
	w->path[w->pathlen] = '\0';
	w->data[w->len] = '\0';
	f.reason[sizeof(f.reason) - 1] = '\0';
	if (f.event == WALK_FAULT || f.event == WALK_NOTE)
		why_set(&w->why, reason_of(f.reason), "%s", (char *)w->data);
	if (f.event == WALK_END)
		w->over = 1;
	return (enum walk_event)f.event;
}

void
walk_stop(struct walk *w)
{
	if (w->fd != -1)
		(void)close(w->fd);
	if (w->go != -1)
		(void)close(w->go);
	if (w->pid > 0) {
		(void)kill(w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
	}
	OPENSSL_clear_free(w->path, w->pathcap);
	OPENSSL_clear_free(w->data, w->datacap);
	memset(w, 0, sizeof(*w));
}
