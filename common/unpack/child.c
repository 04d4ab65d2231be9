#include "unpack/child.h"

#include <errno.h>
#include <iconv.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "file/magic.h"
#include "unpack/container.h"
#include "unpack/limits.h"
#include "unpack/tail.h"

#define NO_FURTHER "the archive cannot be read any further"

/* Members --------------------------------------------------------------- */

/* The input, and the member of it that is read. */
static struct container levels[2];

static int walk(struct container *);

/* The member of a tar is whole, only its padding was cut off. */
static int
all_but_padding(struct container *l, size_t len)
{
	return (archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    l->size == (int64_t)len &&
	    strcmp(container_reason(archive_error_string(l->a)), "cut") == 0;
}

/*
 * The member is an archive: reads it, of which len bytes at c->data are gone
 * already.
 */
static void
inner(struct container *l, const struct magic *kind, size_t len)
{
	struct limits *c = l->c;
	struct container *in = &levels[1];
	uint64_t before = c->events;
	char text[64];

	c->members--;
	memset(in, 0, sizeof(*in));
	in->c = c;
	in->outer = l;
	in->kind = kind;
	in->base = l->path;
	in->fd = in->spool = -1;
	in->next = 1;
	memcpy(in->block, c->data, len);
	in->nfirst = len;
	if (container_open(in))
		(void)walk(in);
	container_close(in);
	if (l->err < 0 && !all_but_padding(l, (size_t)l->at)) {
		container_failed(l, l->path);
	} else if (c->events == before) {
		(void)snprintf(text, sizeof(text),
		    "%s archive with nothing in it", kind->name);
		c->members++;
		limits_fault(c, "empty", l->path, text);
	}
}

/* All of a member past its ceiling; len bytes of it are at c->data. */
static void
pieces(struct container *l, size_t len)
{
	struct limits *c = l->c;
	const uint8_t *p = c->data;
	const char *s, *why;
	size_t n;
	int r = 1;

	for (; len > 0; p += n, len -= n) {
		n = len < UNPACK_PIECE_BYTES ? len : UNPACK_PIECE_BYTES;
		limits_report(c, UNPACK_PIECE, NULL, NULL, p, n);
	}
	while ((r = container_take(l, UNPACK_PIECE_BYTES, &p, &n)) == 1)
		limits_report(c, UNPACK_PIECE, NULL, NULL, p, n);
	s = archive_error_string(l->a);
	if (s == NULL)
		s = "it ends early";
	why = container_reason(s);
	if (c->over != NULL)
		why = "ceiling", s = "past a ceiling";
	else if (l->encrypted)
		why = "password", s = CONTAINER_ALONE;
	limits_report(c, UNPACK_PIECES_END, why, NULL, s,
	    r == 0 ? 0 : strnlen(s, CHILD_TEXT));
}

/* Reads on into c->data, to len bytes.  As container_take(). */
static int
fill(struct container *l, size_t *len, size_t to)
{
	const uint8_t *p;
	size_t n;
	int r = 1;

	while (*len < to && (r = container_take(l, to - *len, &p, &n)) == 1) {
		memcpy(l->c->data + *len, p, n);
		*len += n;
	}
	return r;
}

/* Has it proven, and read again into c->data.  As container_take(). */
static int
proven(struct container *l, size_t *len, size_t to)
{
	int r = container_prove(l);

	if (r != 1)
		return r == 0 ? 1 : r;
	*len = 0;
	return fill(l, len, to);
}

/* A member, of which len bytes are at c->data. */
static void
deliver(struct container *l, size_t len)
{
	struct limits *c = l->c;
	int big = len > c->limits.member;

	if (limits_starved(c))
		return;
	c->events++;
	limits_report(c, big ? UNPACK_BIG : UNPACK_MEMBER, NULL, l->path,
	    c->data, big && len > CHILD_HEAD ? CHILD_HEAD : len);
	limits_progress(c);
	if (big && c->limits.pieces)
		pieces(l, len);
	/* it may hold keys, and the next member may be hostile */
	OPENSSL_cleanse(c->data, len);
}

/* The data of one member; a link may have none. */
static void
member(struct container *l, int link)
{
	struct limits *c = l->c;
	size_t len, max = (size_t)c->limits.member;
	const struct magic *kind;
	int r;

	do {
		len = 0;
		r = fill(l, &len, MAGIC_BYTES);
		kind = l->outer == NULL &&
			archive_format(l->a) != ARCHIVE_FORMAT_RAW ?
		    magic_of(c->data, len) :
		    NULL;
		if (kind == NULL && r == 1)
			r = fill(l, &len, max + 1);
		if (kind == NULL && r == 1 && l->encrypted)
			r = proven(l, &len, max + 1);
	} while (r < 0 && kind == NULL && container_again(l));
	OPENSSL_cleanse(c->pass, sizeof(c->pass));
	if (kind != NULL)
		inner(l, kind, len);
	else if (r < 0 && (len == 0 || !all_but_padding(l, len)))
		container_unreadable(l);
	else if (len == 0 && link)
		limits_link(c, l->path);
	else
		deliver(l, len);
	OPENSSL_cleanse(c->data, len);
	if (l->err == ARCHIVE_FATAL)
		limits_fault(c, container_reason(archive_error_string(l->a)),
		    l->base, NO_FURTHER);
}

/* Sets the path of the entry, with that of the container in front of it. */
static void
set_path(struct container *l, struct archive_entry *e)
{
	const char *s = archive_entry_pathname_utf8(e);

	if (s == NULL)
		s = archive_entry_pathname(e);
	if (s == NULL)
		s = "";
	free(l->path);
	if (archive_format(l->a) == ARCHIVE_FORMAT_RAW)
		l->path = strdup(l->base == NULL ? "stdin" : l->base);
	else if (l->base == NULL)
		l->path = strdup(s);
	else if (asprintf(&l->path, "%s/%s", l->base, s) == -1)
		l->path = NULL;
	if (l->path == NULL)
		_exit(1);
}

static void
entry(struct container *l, struct archive_entry *e)
{
	struct limits *c = l->c;
	int format = archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK;
	/* a cpio may have the data with the last name of a file only */
	int link = archive_entry_hardlink(e) != NULL;

	set_path(l, e);
	l->size = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1;
	l->encrypted = archive_entry_is_encrypted(e);
	if (archive_entry_filetype(e) == AE_IFLNK ||
	    (link && archive_entry_size(e) == 0)) {
		limits_link(c, l->path);
		return;
	}
	/* some formats do not say what an entry is */
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != 0)
		return;
	if (++c->members > c->limits.members)
		limits_stop(c, "members", c->limits.members);
	else if (l->encrypted && format != ARCHIVE_FORMAT_ZIP)
		limits_fault(c, "password", l->path,
		    "encrypted by the archive: " CONTAINER_ELSEWHERE);
	else
		member(l, link);
}

/*
 * To the end of the entry.  Where passing it by means to unpack it, it is read,
 * so that it is progress.
 */
static int
pass_by(struct container *l)
{
	int format = archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK;
	const void *p;
	int64_t offset;
	size_t n;
	int r;

	if (!l->encrypted && l->err == 0 &&
	    (container_packed(l) || format == ARCHIVE_FORMAT_7ZIP ||
		format == ARCHIVE_FORMAT_CAB ||
		format == ARCHIVE_FORMAT_RAR_V5 ||
		(l->size == -1 && format != ARCHIVE_FORMAT_RAW)))
		while ((r = archive_read_data_block(l->a, &p, &n, &offset)) !=
		    ARCHIVE_EOF) {
			if (r == ARCHIVE_FATAL || !limits_unpacked(l->c, n))
				return ARCHIVE_FATAL;
			if (r != ARCHIVE_OK)
				break;
		}
	return l->err == ARCHIVE_FATAL ? l->err : archive_read_data_skip(l->a);
}

/* The archive ------------------------------------------------------------ */

/* Counts a warning, or an entry lost. */
static void
warning(struct container *l, int r)
{
	struct limits *c = l->c;
	const char *s = archive_error_string(l->a);

	if (++c->warnings > c->limits.warnings)
		limits_stop(c, "warnings", c->limits.warnings);
	else if (r == ARCHIVE_FAILED ||
	    (s != NULL && strncmp(s, "Skipped ", 8) == 0)) /* cpio */
		container_failed(l, l->base);
	else
		limits_note(c, l->base, s == NULL ? "warning" : s);
}

/* A block of a tar is no header: a member is gone.  Said once in a row. */
static void
lost(struct container *l)
{
	if (!l->lost)
		limits_fault(l->c, "damaged", l->base,
		    "a damaged header: one member or more is lost here: fetch "
		    "the archive again");
	l->lost = 1;
}

/*
 * A tar ends in blocks of zeros; libarchive does not mind if they are gone
 * because the file was cut there.
 */
static int
tar_cut(struct container *l, int64_t before)
{
	return (archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    archive_filter_bytes(l->a, 0) < (before + 511) / 512 * 512 + 512;
}

/* Returns 1 at the end of the archive, 0 if that was not reached. */
static int
walk(struct container *l)
{
	struct limits *c = l->c;
	struct archive_entry *e;
	int64_t before = 0;
	int r;

	while ((r = container_next(l, &e)) != ARCHIVE_EOF) {
		if (r == ARCHIVE_RETRY) {
			lost(l);
			continue;
		}
		l->lost = 0;
		if (r == ARCHIVE_WARN || r == ARCHIVE_FAILED)
			warning(l, r);
		if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
			entry(l, e);
		if (c->over != NULL)
			return 0;
		if (r == ARCHIVE_FAILED)
			continue;
		if (r == ARCHIVE_FATAL || pass_by(l) == ARCHIVE_FATAL) {
			if (l->err != ARCHIVE_FATAL)
				container_failed(l, l->base);
			return 0;
		}
		if (l->again == l->index) { /* all are for the others again */
			l->next = 1;
			l->none = 0;
		}
		before = archive_filter_bytes(l->a, 0);
	}
	if (tar_cut(l, before))
		limits_fault(c, "cut", l->base,
		    "no end-of-archive marker: the archive "
		    "was cut between two members");
	tail_end(l);
	return 1;
}

/*
 * Reads a pipe to its end: some formats have more behind the last member, and
 * the writer must not die of it.
 */
static void
drain(struct container *l)
{
	ssize_t n;

	if (l->fd == l->c->in)
		return;
	do
		n = read(l->c->in, l->block, sizeof(l->block));
	while (n > 0 || (n == -1 && errno == EINTR));
}

static void
input(struct limits *c)
{
	struct container *l = &levels[0];
	const char *over;

	l->c = c;
	l->next = 1;
	l->spool = -1;
	l->start = lseek(c->in, 0, SEEK_CUR);
	l->fd = l->start == -1 ? -1 : c->in;
	/* M_PERTURB makes malloc(3) write to all of it */
	c->data = mmap(NULL,
	    c->limits.member < MAGIC_BYTES ? MAGIC_BYTES :
					     (size_t)c->limits.member + 1,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->data == MAP_FAILED)
		limits_stop(c, "memory", c->limits.memory);
	else if (container_open(l) && walk(l)) {
		if (archive_format(l->a) == ARCHIVE_FORMAT_EMPTY &&
		    !container_packed(l))
			limits_fault(c, "empty", NULL,
			    "empty input: expected a backup");
		else
			drain(l);
	}
	(void)limits_starved(c);
	if ((over = c->over) != NULL) {
		c->over = NULL;
		limits_ceiling(c, NULL, over, c->over_at);
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
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(go, STDERR_FILENO + 1) == -1)
		_exit(2);
	for (v = environ; *v != NULL; v++)
		OPENSSL_cleanse(*v, strlen(*v));
	(void)setenv("TZ", "UTC0", 1); /* or each date would ask for a file */
	tzset();
	if (read(STDERR_FILENO + 1, &byte, 1) != 1)
		_exit(0);
	(void)syscall(SYS_close_range, STDERR_FILENO + 2, ~0U, 0);
}

void
child_run(int in, int out, int go, const struct unpack_limits *limits)
{
	static struct limits c = { .in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.go = STDERR_FILENO + 1 };
#ifndef SANITIZE /* it maps terabytes */
	struct rlimit as;

	as.rlim_cur = limits->memory + limits->member + (64ULL << 20);
	as.rlim_max = as.rlim_cur;
#endif
	c.limits = *limits;
	heap_quiet();
	begin(in, out, go);
#ifndef SANITIZE
	(void)setrlimit(RLIMIT_AS, &as);
#endif
	limits_progress(&c);
#ifdef M_PERTURB /* what libarchive frees is wiped, but for small pieces */
	(void)mallopt(M_PERTURB, 0xff);
#endif
	/* what iconv loads for names from Japan, in lha and cab */
	(void)iconv_open("UTF-8", "CP932");
	msg_level = 0; /* the parent says what the system lacks */
	sandbox_enter(NULL);
	errno = 0; /* from here on: see limits_starved() */
	input(&c);
	limits_report(&c, UNPACK_END, NULL, NULL, NULL, 0);
	_exit(0);
}
