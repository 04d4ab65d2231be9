#include "reader.h"

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

#include "behind.h"
#include "child.h"
#include "kind.h"
#include "level.h"
#include "msg.h"
#include "sandbox.h"
#include "tool.h"

#define NO_FURTHER "the archive cannot be read any further"

/* Members --------------------------------------------------------------- */

/* The input, and the member of it that is read. */
static struct level levels[2];

static int walk(struct level *);

/* The member of a tar is whole, only its padding was cut off. */
static int
all_but_padding(struct level *l, size_t len)
{
	return (archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    l->size == (int64_t)len &&
	    strcmp(level_reason(archive_error_string(l->a)), "cut") == 0;
}

/*
 * The member is an archive: reads it, of which len bytes at c->data are gone
 * already.
 */
static void
inner(struct level *l, const struct kind *kind, size_t len)
{
	struct child *c = l->c;
	struct level *in = &levels[1];
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
	if (level_open(in))
		(void)walk(in);
	level_close(in);
	if (l->err < 0 && !all_but_padding(l, (size_t)l->at)) {
		level_failed(l, l->path);
	} else if (c->events == before) {
		(void)snprintf(text, sizeof(text),
		    "%s archive with nothing in it", kind->name);
		c->members++;
		child_fault(c, "empty", l->path, text);
	}
}

/* All of a member past its ceiling; len bytes of it are at c->data. */
static void
pieces(struct level *l, size_t len)
{
	struct child *c = l->c;
	const uint8_t *p = c->data;
	const char *s, *why;
	size_t n;
	int r = 1;

	for (; len > 0; p += n, len -= n) {
		n = len < WALK_PIECE_BYTES ? len : WALK_PIECE_BYTES;
		child_report(c, WALK_PIECE, NULL, NULL, p, n);
	}
	while ((r = level_take(l, WALK_PIECE_BYTES, &p, &n)) == 1)
		child_report(c, WALK_PIECE, NULL, NULL, p, n);
	s = archive_error_string(l->a);
	if (s == NULL)
		s = "it ends early";
	why = level_reason(s);
	if (c->over != NULL)
		why = "ceiling", s = "past a ceiling";
	else if (l->encrypted)
		why = "password", s = LEVEL_ALONE;
	child_report(c, WALK_PIECES_END, why, NULL, s,
	    r == 0 ? 0 : strnlen(s, READER_TEXT));
}

/* Reads on into c->data, to len bytes.  As level_take(). */
static int
fill(struct level *l, size_t *len, size_t to)
{
	const uint8_t *p;
	size_t n;
	int r = 1;

	while (*len < to && (r = level_take(l, to - *len, &p, &n)) == 1) {
		memcpy(l->c->data + *len, p, n);
		*len += n;
	}
	return r;
}

/* Has it proven, and read again into c->data.  As level_take(). */
static int
proven(struct level *l, size_t *len, size_t to)
{
	int r = level_prove(l);

	if (r != 1)
		return r == 0 ? 1 : r;
	*len = 0;
	return fill(l, len, to);
}

/* A member, of which len bytes are at c->data. */
static void
deliver(struct level *l, size_t len)
{
	struct child *c = l->c;
	int big = len > c->limits.member;

	if (child_starved(c))
		return;
	c->events++;
	child_report(c, big ? WALK_BIG : WALK_MEMBER, NULL, l->path, c->data,
	    big && len > READER_HEAD ? READER_HEAD : len);
	child_progress(c);
	if (big && c->limits.pieces)
		pieces(l, len);
	/* it may hold keys, and the next member may be hostile */
	OPENSSL_cleanse(c->data, len);
}

/* The data of one member; a link may have none. */
static void
member(struct level *l, int link)
{
	struct child *c = l->c;
	size_t len, max = (size_t)c->limits.member;
	const struct kind *kind;
	int r;

	do {
		len = 0;
		r = fill(l, &len, KIND_BYTES);
		kind = l->outer == NULL &&
			archive_format(l->a) != ARCHIVE_FORMAT_RAW ?
		    kind_of(c->data, len) :
		    NULL;
		if (kind == NULL && r == 1)
			r = fill(l, &len, max + 1);
		if (kind == NULL && r == 1 && l->encrypted)
			r = proven(l, &len, max + 1);
	} while (r < 0 && kind == NULL && level_again(l));
	OPENSSL_cleanse(c->pass, sizeof(c->pass));
	if (kind != NULL)
		inner(l, kind, len);
	else if (r < 0 && (len == 0 || !all_but_padding(l, len)))
		level_unreadable(l);
	else if (len == 0 && link)
		child_link(c, l->path);
	else
		deliver(l, len);
	OPENSSL_cleanse(c->data, len);
	if (l->err == ARCHIVE_FATAL)
		child_fault(c, level_reason(archive_error_string(l->a)),
		    l->base, NO_FURTHER);
}

/* Sets the path of the entry, with that of the container in front of it. */
static void
set_path(struct level *l, struct archive_entry *e)
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
entry(struct level *l, struct archive_entry *e)
{
	struct child *c = l->c;
	int format = archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK;
	/* a cpio may have the data with the last name of a file only */
	int link = archive_entry_hardlink(e) != NULL;

	set_path(l, e);
	l->size = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1;
	l->encrypted = archive_entry_is_encrypted(e);
	if (archive_entry_filetype(e) == AE_IFLNK ||
	    (link && archive_entry_size(e) == 0)) {
		child_link(c, l->path);
		return;
	}
	/* some formats do not say what an entry is */
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != 0)
		return;
	if (++c->members > c->limits.members)
		child_stop(c, "members", c->limits.members);
	else if (l->encrypted && format != ARCHIVE_FORMAT_ZIP)
		child_fault(c, "password", l->path,
		    "encrypted by the archive: " LEVEL_ELSEWHERE);
	else
		member(l, link);
}

/*
 * To the end of the entry.  Where passing it by means to unpack it, it is read,
 * so that it is progress.
 */
static int
pass_by(struct level *l)
{
	int format = archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK;
	const void *p;
	int64_t offset;
	size_t n;
	int r;

	if (!l->encrypted && l->err == 0 &&
	    (level_packed(l) || format == ARCHIVE_FORMAT_7ZIP ||
		format == ARCHIVE_FORMAT_CAB ||
		format == ARCHIVE_FORMAT_RAR_V5 ||
		(l->size == -1 && format != ARCHIVE_FORMAT_RAW)))
		while ((r = archive_read_data_block(l->a, &p, &n, &offset)) !=
		    ARCHIVE_EOF) {
			if (r == ARCHIVE_FATAL || !child_unpacked(l->c, n))
				return ARCHIVE_FATAL;
			if (r != ARCHIVE_OK)
				break;
		}
	return l->err == ARCHIVE_FATAL ? l->err : archive_read_data_skip(l->a);
}

/* The archive ------------------------------------------------------------ */

/* Counts a warning, or an entry lost. */
static void
warning(struct level *l, int r)
{
	struct child *c = l->c;
	const char *s = archive_error_string(l->a);

	if (++c->warnings > c->limits.warnings)
		child_stop(c, "warnings", c->limits.warnings);
	else if (r == ARCHIVE_FAILED ||
	    (s != NULL && strncmp(s, "Skipped ", 8) == 0)) /* cpio */
		level_failed(l, l->base);
	else
		child_note(c, l->base, s == NULL ? "warning" : s);
}

/* A block of a tar is no header: a member is gone.  Said once in a row. */
static void
lost(struct level *l)
{
	if (!l->lost)
		child_fault(l->c, "damaged", l->base,
		    "a damaged header: one member or more is lost here: fetch "
		    "the archive again");
	l->lost = 1;
}

/*
 * A tar ends in blocks of zeros; libarchive does not mind if they are gone
 * because the file was cut there.
 */
static int
tar_cut(struct level *l, int64_t before)
{
	return (archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    archive_filter_bytes(l->a, 0) < (before + 511) / 512 * 512 + 512;
}

/* Returns 1 at the end of the archive, 0 if that was not reached. */
static int
walk(struct level *l)
{
	struct child *c = l->c;
	struct archive_entry *e;
	int64_t before = 0;
	int r;

	while ((r = level_next(l, &e)) != ARCHIVE_EOF) {
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
				level_failed(l, l->base);
			return 0;
		}
		if (l->again == l->index) { /* all are for the others again */
			l->next = 1;
			l->none = 0;
		}
		before = archive_filter_bytes(l->a, 0);
	}
	if (tar_cut(l, before))
		child_fault(c, "cut", l->base,
		    "no end-of-archive marker: the archive "
		    "was cut between two members");
	behind_end(l);
	return 1;
}

/*
 * Reads a pipe to its end: some formats have more behind the last member, and
 * the writer must not die of it.
 */
static void
drain(struct level *l)
{
	ssize_t n;

	if (l->fd == l->c->in)
		return;
	do
		n = read(l->c->in, l->block, sizeof(l->block));
	while (n > 0 || (n == -1 && errno == EINTR));
}

static void
input(struct child *c)
{
	struct level *l = &levels[0];
	const char *over;

	l->c = c;
	l->next = 1;
	l->spool = -1;
	l->start = lseek(c->in, 0, SEEK_CUR);
	l->fd = l->start == -1 ? -1 : c->in;
	/* M_PERTURB makes malloc(3) write to all of it */
	c->data = mmap(NULL,
	    c->limits.member < KIND_BYTES ? KIND_BYTES :
					    (size_t)c->limits.member + 1,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->data == MAP_FAILED)
		child_stop(c, "memory", c->limits.memory);
	else if (level_open(l) && walk(l)) {
		if (archive_format(l->a) == ARCHIVE_FORMAT_EMPTY &&
		    !level_packed(l))
			child_fault(c, "empty", NULL,
			    "empty input: expected a backup");
		else
			drain(l);
	}
	(void)child_starved(c);
	if ((over = c->over) != NULL) {
		c->over = NULL;
		child_ceiling(c, NULL, over, c->over_at);
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
reader_run(int in, int out, int go, const struct walk_limits *limits)
{
	static struct child c = { .in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.go = STDERR_FILENO + 1 };
#ifndef SANITIZE /* it maps terabytes */
	struct rlimit as;

	as.rlim_cur = limits->memory + limits->member + (64ULL << 20);
	as.rlim_max = as.rlim_cur;
#endif
	c.limits = *limits;
	tool_child();
	begin(in, out, go);
#ifndef SANITIZE
	(void)setrlimit(RLIMIT_AS, &as);
#endif
	child_progress(&c);
#ifdef M_PERTURB /* what libarchive frees is wiped, but for small pieces */
	(void)mallopt(M_PERTURB, 0xff);
#endif
	/* what iconv loads for names from Japan, in lha and cab */
	(void)iconv_open("UTF-8", "CP932");
	msg_level = 0; /* the parent says what the system lacks */
	sandbox_enter(NULL);
	errno = 0; /* from here on: see child_starved() */
	input(&c);
	child_report(&c, WALK_END, NULL, NULL, NULL, 0);
	_exit(0);
}
