#include "unpack/child.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "file/magic.h"
#include "unpack/container.h"
#include "unpack/database.h"
#include "unpack/limits.h"
#include "unpack/tail.h"

#define NO_FURTHER "the archive cannot be read any further"

/* Members --------------------------------------------------------------- */

static int walk(struct container *);

/* Returns 1 if a tar member lacks only its padding. */
static int
all_but_padding(struct container *c, size_t len)
{
	return (archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    c->size == (int64_t)len &&
	    strcmp(container_reason(archive_error_string(c->a)), "cut") == 0;
}

/*
 * Reads a member that is an archive, and whose first len bytes are at l->data.
 */
static void
inner(struct container *c, const struct magic *kind, size_t len)
{
	struct limits *l = c->limits;
	static struct container inside, *in = &inside;
	uint64_t before = l->events;
	char text[64];

	l->members--;
	memset(in, 0, sizeof(*in));
	in->limits = l;
	in->outer = c;
	in->kind = kind;
	in->base = c->path;
	in->feed.fd = in->feed.spool = -1;
	memcpy(in->feed.block, l->data, len);
	in->feed.nfirst = len;
	if (container_open(in))
		(void)walk(in);
	container_close(in);
	if (c->err < 0 && !all_but_padding(c, (size_t)c->at)) {
		container_failed(c, c->path);
	} else if (l->events == before) {
		(void)snprintf(text, sizeof(text),
		    "%s archive with nothing in it", kind->name);
		l->members++;
		limits_fault(l, "empty", c->path, text);
	}
}

/* Sends a memory file by way of l->data; wipes and closes it. */
static void
pieces_of(struct limits *l, int fd)
{
	ssize_t n;

	(void)lseek(fd, 0, SEEK_SET);
	while ((n = io_read(fd, l->data, MAGIC_BYTES)) > 0)
		frame_send(UNPACK_PIECE, NULL, NULL, l->data, (size_t)n);
	OPENSSL_cleanse(l->data, MAGIC_BYTES);
	(void)close(fd);
}

/*
 * Sends all of a member, whose first bytes are in a memory file or, len of
 * them, at l->data.
 */
static void
pieces(struct container *c, size_t len, int fd)
{
	struct limits *l = c->limits;
	const uint8_t *p = l->data;
	const char *s, *why;
	size_t n;
	int r = 1;

	if (fd != -1)
		pieces_of(l, fd);
	else
		for (; len > 0; p += n, len -= n) {
			n = len < UNPACK_PIECE_BYTES ? len : UNPACK_PIECE_BYTES;
			frame_send(UNPACK_PIECE, NULL, NULL, p, n);
		}
	while ((r = container_take(c, UNPACK_PIECE_BYTES, &p, &n)) == 1)
		frame_send(UNPACK_PIECE, NULL, NULL, p, n);
	s = archive_error_string(c->a);
	if (s == NULL)
		s = "it ends early";
	why = container_reason(s);
	if (l->over != NULL)
		why = "ceiling", s = "past a ceiling";
	else if (c->encrypted)
		why = "password", s = CONTAINER_ALONE;
	frame_send(UNPACK_PIECES_END, why, NULL, s,
	    r == 0 ? 0 : strnlen(s, FRAME_TEXT));
}

/* Reads on into l->data, to len bytes.  Returns what container_take() does. */
static int
fill(struct container *c, size_t *len, size_t to)
{
	const uint8_t *p;
	size_t n;
	int r = 1;

	while (*len < to && (r = container_take(c, to - *len, &p, &n)) == 1) {
		memcpy(c->limits->data + *len, p, n);
		*len += n;
	}
	return r;
}

/* Proves the entry and reads it again into l->data, as container_take(). */
static int
proven(struct container *c, size_t *len, size_t to)
{
	int r = container_prove(c);

	if (r != 1)
		return r == 0 ? 1 : r;
	*len = 0;
	return fill(c, len, to);
}

/* Sends a member, of which len bytes are at l->data. */
static void
deliver(struct container *c, size_t len)
{
	struct limits *l = c->limits;
	int big = len > l->max.member, fd = -1, done;

	if (limits_starved(l))
		return;
	l->events++;
	done = database_read(c, len, &fd);
	if (!done)
		frame_send(big ? UNPACK_BIG : UNPACK_MEMBER, NULL, c->path,
		    l->data, big && len > FRAME_HEAD ? FRAME_HEAD : len);
	limits_progress(l);
	if ((big || done) && l->max.pieces)
		pieces(c, len, fd);
	else if (fd != -1)
		(void)close(fd);
	/* it may hold keys, and the next member may be hostile */
	OPENSSL_cleanse(l->data, len);
}

/* Reads the data of a member; a link may have none. */
static void
member(struct container *c, int link)
{
	struct limits *l = c->limits;
	size_t len, max = (size_t)l->max.member;
	const struct magic *kind;
	int r;

	do {
		len = 0;
		r = fill(c, &len, MAGIC_BYTES);
		kind = c->outer == NULL &&
			archive_format(c->a) != ARCHIVE_FORMAT_RAW ?
		    magic_of(l->data, len) :
		    NULL;
		if (kind == NULL && r == 1)
			r = fill(c, &len, max + 1);
		if (kind == NULL && r == 1 && c->encrypted)
			r = proven(c, &len, max + 1);
	} while (r < 0 && kind == NULL && container_again(c));
	OPENSSL_cleanse(c->passwords.pass, sizeof(c->passwords.pass));
	if (kind != NULL)
		inner(c, kind, len);
	else if (r < 0 && (len == 0 || !all_but_padding(c, len)))
		container_unreadable(c);
	else if (len == 0 && link)
		limits_link(c->path);
	else
		deliver(c, len);
	OPENSSL_cleanse(l->data, len);
	if (c->err == ARCHIVE_FATAL)
		limits_fault(l, container_reason(archive_error_string(c->a)),
		    c->base, NO_FURTHER);
}

/* Sets the path of the entry, behind that of its container. */
static void
set_path(struct container *c, struct archive_entry *e)
{
	const char *s = archive_entry_pathname_utf8(e);

	if (s == NULL)
		s = archive_entry_pathname(e);
	if (s == NULL)
		s = "";
	free(c->path);
	if (archive_format(c->a) == ARCHIVE_FORMAT_RAW)
		c->path = strdup(c->base == NULL ? "stdin" : c->base);
	else if (c->base == NULL)
		c->path = strdup(s);
	else if (asprintf(&c->path, "%s/%s", c->base, s) == -1)
		c->path = NULL;
	if ((c->passwords.path = c->path) == NULL)
		_exit(1);
}

static void
entry(struct container *c, struct archive_entry *e)
{
	struct limits *l = c->limits;
	int format = archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;
	/* a cpio may have the data with the last name of a file only */
	int link = archive_entry_hardlink(e) != NULL;

	set_path(c, e);
	c->size = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1;
	c->encrypted = archive_entry_is_encrypted(e);
	if (archive_entry_filetype(e) == AE_IFLNK ||
	    (link && archive_entry_size(e) == 0)) {
		limits_link(c->path);
		return;
	}
	/* some formats do not say what an entry is */
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != 0)
		return;
	if (++l->members > l->max.members)
		limits_stop(l, "members", l->max.members);
	else if (c->encrypted && format != ARCHIVE_FORMAT_ZIP)
		limits_fault(l, "password", c->path,
		    "encrypted by the archive: " CONTAINER_ELSEWHERE);
	else
		member(c, link);
}

/*
 * Goes to the end of the entry.  If skipping has to unpack it, it is read,
 * which is progress.
 */
static int
pass_by(struct container *c)
{
	int format = archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;
	const void *p;
	int64_t offset;
	size_t n;
	int r;

	if (!c->encrypted && c->err == 0 &&
	    (container_packed(c) || format == ARCHIVE_FORMAT_7ZIP ||
		format == ARCHIVE_FORMAT_CAB ||
		format == ARCHIVE_FORMAT_RAR_V5 ||
		(c->size == -1 && format != ARCHIVE_FORMAT_RAW)))
		while ((r = archive_read_data_block(c->a, &p, &n, &offset)) !=
		    ARCHIVE_EOF) {
			if (r == ARCHIVE_FATAL ||
			    !limits_unpacked(c->limits, n))
				return ARCHIVE_FATAL;
			if (r != ARCHIVE_OK)
				break;
		}
	return c->err == ARCHIVE_FATAL ? c->err : archive_read_data_skip(c->a);
}

/* The archive ------------------------------------------------------------ */

/* Counts a warning, or a lost entry. */
static void
warning(struct container *c, int r)
{
	struct limits *l = c->limits;
	const char *s = archive_error_string(c->a);

	if (++l->warnings > l->max.warnings)
		limits_stop(l, "warnings", l->max.warnings);
	else if (r == ARCHIVE_FAILED ||
	    (s != NULL && strncmp(s, "Skipped ", 8) == 0)) /* cpio */
		container_failed(c, c->base);
	else
		limits_note(c->base, s == NULL ? "warning" : s);
}

/* Reports a lost member, since a block of a tar is no header; once in a row. */
static void
lost(struct container *c)
{
	if (!c->lost)
		limits_fault(c->limits, "damaged", c->base,
		    "a damaged header: one member or more is lost here: fetch "
		    "the archive again");
	c->lost = 1;
}

/*
 * Reports a cut tar: it ends in blocks of zeros, whose absence libarchive
 * ignores.
 */
static int
tar_cut(struct container *c, int64_t before)
{
	return (archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    archive_filter_bytes(c->a, 0) < (before + 511) / 512 * 512 + 512;
}

static int
is_rar(const struct container *c)
{
	int format = archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;

	return format == ARCHIVE_FORMAT_RAR || format == ARCHIVE_FORMAT_RAR_V5;
}

/* Reads the members.  Returns 1 at the end of the archive, else 0. */
static int
walk(struct container *c)
{
	struct limits *l = c->limits;
	struct archive_entry *e;
	int64_t before = 0;
	int r;

	while ((r = container_next(c, &e)) != ARCHIVE_EOF) {
		if (r == ARCHIVE_RETRY) {
			lost(c);
			continue;
		}
		c->lost = 0;
		if (r == ARCHIVE_WARN || r == ARCHIVE_FAILED)
			warning(c, r);
		if (r == ARCHIVE_OK || r == ARCHIVE_WARN)
			entry(c, e);
		if (l->over != NULL)
			return 0;
		if (r == ARCHIVE_FAILED)
			continue;
		if (r == ARCHIVE_FATAL || pass_by(c) == ARCHIVE_FATAL) {
			if (c->err != ARCHIVE_FATAL)
				container_failed(c, c->base);
			return 0;
		}
		before = archive_filter_bytes(c->a, 0);
	}
	if (c->index == 0 && is_rar(c))
		limits_fault(l, "unsupported", c->base,
		    "no file begins in this RAR archive, or volume of a "
		    "set: " CONTAINER_ELSEWHERE);
	if (tar_cut(c, before))
		limits_fault(l, "cut", c->base,
		    "no end-of-archive marker: the archive "
		    "was cut between two members");
	tail_end(c);
	return 1;
}

/*
 * Reads a pipe to its end: some formats have more behind the last member, and
 * the writer must not die of it.
 */
static void
drain(struct container *c)
{
	ssize_t n;

	if (c->feed.fd == FRAME_ARCHIVE)
		return;
	do
		n = io_read(FRAME_ARCHIVE, c->feed.block,
		    sizeof(c->feed.block));
	while (n > 0);
}

void
child_read(struct limits *l)
{
	static struct container all, *c = &all;
	const char *over;

	memset(c, 0, sizeof(*c));
	c->limits = l;
	c->feed.spool = -1;
	c->feed.start = lseek(FRAME_ARCHIVE, 0, SEEK_CUR);
	c->feed.fd = c->feed.start == -1 ? -1 : FRAME_ARCHIVE;
	/* M_PERTURB makes malloc(3) write to all of it */
	l->data = mmap(NULL,
	    l->max.member < MAGIC_BYTES ? MAGIC_BYTES :
					  (size_t)l->max.member + 1,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->data == MAP_FAILED)
		limits_stop(l, "memory", l->max.memory);
	else if (container_open(c) && walk(c)) {
		if (archive_format(c->a) == ARCHIVE_FORMAT_EMPTY &&
		    !container_packed(c))
			limits_fault(l, "empty", NULL,
			    "empty input: expected a backup");
		else
			drain(c);
	}
	container_close(c);
	(void)limits_starved(l);
	if ((over = l->over) != NULL) {
		l->over = NULL;
		limits_ceiling(l, NULL, over, l->over_at);
	}
	frame_send(UNPACK_END, NULL, NULL, NULL, 0);
}

/*
 * Waits for the parent's leave, and gives up stderr, since a terminal must not
 * see raw text of an archive, and the environment, which may hold passwords.
 */
static void
begin(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte, **v;

	(void)signal(SIGPIPE, SIG_DFL); /* the parent is gone */
#ifndef SANITIZE /* which reports there */
	if (null == -1 || dup2(null, STDERR_FILENO) == -1)
		_exit(2);
#endif
	(void)close(null);
	for (v = environ; *v != NULL; v++)
		OPENSSL_cleanse(*v, strlen(*v));
	(void)setenv("TZ", "UTC0", 1); /* or each date would ask for a file */
	tzset();
	if (io_read(FRAME_PASSWORD, &byte, 1) != 1)
		_exit(0);
}

void
child_run(void *max)
{
	static struct limits l;
#ifndef SANITIZE /* it maps terabytes */
	struct rlimit as;
#endif

	l.max = *(const struct unpack_limits *)max;
	heap_quiet();
	begin();
#ifndef SANITIZE
	as.rlim_cur = l.max.memory + l.max.member + (64ULL << 20);
	as.rlim_max = as.rlim_cur;
	(void)setrlimit(RLIMIT_AS, &as);
#endif
	limits_progress(&l);
#ifdef M_PERTURB /* what libarchive frees is wiped, but for small pieces */
	(void)mallopt(M_PERTURB, 0xff);
#endif
	/* what iconv loads for names from Japan, in lha and cab */
	(void)iconv_open("UTF-8", "CP932");
	msg_level = 0; /* the parent says what the system lacks */
	sandbox_reader();
	errno = 0; /* from here on: see limits_starved() */
	child_read(&l);
	_exit(0);
}
