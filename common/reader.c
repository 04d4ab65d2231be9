#include "reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <inttypes.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kind.h"
#include "msg.h"
#include "sandbox.h"
#include "secret.h"
#include "tool.h"

#define BLOCK	   (128 * 1024)
#define PROGRESS   (64ULL << 20) /* bytes unpacked */
#define CPU_MORE   (24 * 3600) /* seconds, over the ceiling, progress or not */
#define REREAD_MAX 1000000
#define LINK	   "a link: not followed"
#define OWN_TOOL   "unpack it with its own tool and feed the files in"
#define NO_FURTHER "the archive cannot be read any further"

/* An archive that is read: the input, or a member of it. */
struct level {
	struct child *c;
	struct archive *a;
	struct level *outer; /* NULL for the input */
	const struct kind *kind; /* NULL for the input */
	const char *base; /* path of the container, NULL for the input */
	int fd; /* where it can seek, or -1 */
	int spool; /* what comes before the rest of the pipe, or -1 */
	off_t start;
	char block[BLOCK];
	size_t nfirst; /* bytes of block that were read ahead */
	/* the entry */
	uint64_t index; /* counts from 1 */
	int lost; /* there was no header where one should be */
	char *path;
	int64_t size; /* -1 if it is not known */
	int encrypted;
	const uint8_t *p; /* unpacked, not yet taken */
	size_t n;
	int64_t offset; /* of p */
	int64_t at; /* taken up to here */
	int err; /* negative once it cannot be read on */
	/* passwords */
	uint64_t next; /* the number to ask for */
	int own; /* the entry's own was asked for */
	int none; /* there are no more */
	int tried; /* libarchive was given one, */
	int given; /* and since it was opened */
	uint64_t again; /* the entry that a was opened again for */
};

struct child {
	int in, out, go;
	struct walk_limits limits;
	struct level level[2];
	uint8_t *data;
	char pass[SECRET_MAX + 1];
	uint64_t members, total, warnings;
	uint64_t events; /* members and faults */
	uint64_t reread; /* entries passed by once more for a password */
	uint64_t since; /* bytes unpacked since the last progress */
	const char *over; /* the ceiling that ended the walk, and its value */
	uint64_t over_at;
};

/* What goes to the parent ---------------------------------------------- */

static void
send_all(int fd, struct iovec *v, int n)
{
	ssize_t k;

	while (n > 0) {
		if ((k = writev(fd, v, n)) == -1) {
			if (errno == EINTR)
				continue;
			_exit(1);
		}
		for (; n > 0 && (size_t)k >= v->iov_len; v++, n--)
			k -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + k;
			v->iov_len -= (size_t)k;
		}
	}
}

static void
report(struct child *c, uint32_t event, const char *reason, const char *path,
    const void *data, size_t len)
{
	struct reader_frame f;
	struct iovec v[3] = { { &f, sizeof(f) }, { (char *)(uintptr_t)path, 0 },
		{ (char *)(uintptr_t)data, data == NULL ? 0 : len } };

	memset(&f, 0, sizeof(f));
	f.event = event;
	f.pathlen = (uint32_t)(path == NULL ? 0 :
					      strnlen(path, PATH_BYTES_MAX));
	f.len = len;
	if (reason != NULL)
		(void)snprintf(f.reason, sizeof(f.reason), "%s", reason);
	v[1].iov_len = f.pathlen;
	send_all(c->out, v, 3);
}

/* The walk ends at a ceiling; said at its end. */
static void
stop(struct child *c, const char *name, uint64_t v)
{
	if (c->over == NULL) {
		c->over = name;
		c->over_at = v;
	}
}

/*
 * libarchive and what it uses do not always say that they are out of memory:
 * a password does not open, or the archive ends early.  errno stays, though.
 */
static int
starved(struct child *c)
{
	if (errno == ENOMEM)
		stop(c, "memory", c->limits.memory);
	return c->over != NULL;
}

static void
fault(struct child *c, const char *reason, const char *path, const char *text)
{
	if (starved(c))
		return;
	c->events++;
	report(c, WALK_FAULT, reason, path, text, strnlen(text, READER_TEXT));
}

static void
note(struct child *c, const char *path, const char *text)
{
	report(c, WALK_NOTE, NULL, path, text, strnlen(text, READER_TEXT));
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
	if (c->over != NULL)
		return;
	c->events++;
	report(c, WALK_FAULT, "ceiling", path, text, strlen(text));
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
	if (strcasestr(s, "encrypt") != NULL ||
	    strcasestr(s, "passphrase") != NULL)
		return "password";
	if (strcasestr(s, "support") != NULL ||
	    strcasestr(s, "codec ID") != NULL)
		return "unsupported";
	return "damaged";
}

/* Whatever libarchive says of an error, and what to do, as a fault. */
static void
failed(struct level *l, const char *path)
{
	const char *s = archive_error_string(l->a), *why, *remedy;
	char text[READER_TEXT];
	size_t n;

	/* it is not the inner one's fault that the outer one breaks */
	if (l->outer != NULL && l->outer->err < 0)
		return;
	if (archive_errno(l->a) == ENOMEM ||
	    (s != NULL && strcasestr(s, "allocate") != NULL)) {
		ceiling(l->c, path, "memory", l->c->limits.memory);
		return;
	}
	if (s == NULL && archive_read_has_encrypted_entries(l->a) > 0)
		s = "its directory is encrypted";
	why = reason(s);
	if (strcmp(why, "password") == 0 || strcmp(why, "unsupported") == 0)
		remedy = OWN_TOOL;
	else
		remedy = "the archive is cut or damaged here: fetch it again";
	if (s == NULL)
		s = "it ends early";
	for (n = strlen(s); n > 0 && strchr(".\n", s[n - 1]) != NULL;)
		n--;
	(void)snprintf(text, sizeof(text), "%.*s: %s", (int)n, s, remedy);
	fault(l->c, why, path, text);
}

/* The entry cannot be read. */
static void
unreadable(struct level *l)
{
	const char *s = archive_error_string(l->a);

	if (!l->encrypted || (s != NULL && strcasestr(s, "support") != NULL))
		failed(l, l->path);
	else if (!l->tried)
		fault(l->c, "password", l->path,
		    "encrypted by the archive: give its password with -p");
	else if (l->fd != -1 || (s != NULL && strcasestr(s, "passphrase")))
		fault(l->c, "password", l->path,
		    "encrypted by the archive: no password opens it (wrong "
		    "password or damaged file): give its password with -p");
	else
		fault(l->c, "password", l->path,
		    "encrypted by the archive: does not open (wrong password "
		    "or damaged file): give its password alone");
}

/* The CPU ceiling counts from here. */
static void
progress(struct child *c)
{
	uint64_t hard = c->limits.cpu + CPU_MORE;
	struct rlimit had;
	struct timespec now = { 0, 0 };
	struct rlimit r;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	if (getrlimit(RLIMIT_CPU, &had) == 0 && had.rlim_max < hard)
		hard = had.rlim_max;
	/* past the soft limit SIGXCPU comes, past the hard one SIGKILL */
	r.rlim_cur = (uint64_t)now.tv_sec + (now.tv_nsec > 0) + c->limits.cpu;
	r.rlim_max = hard;
	if (r.rlim_cur > hard)
		r.rlim_cur = hard;
	(void)setrlimit(RLIMIT_CPU, &r);
	c->since = 0;
}

/* Counts n bytes more that were unpacked.  Returns 1, or 0 at the ceiling. */
static int
unpacked(struct child *c, uint64_t n)
{
	if ((c->total += n) > c->limits.total)
		stop(c, "total", c->limits.total);
	else if ((c->since += n) >= PROGRESS)
		progress(c);
	return c->over == NULL;
}

/* Passwords ------------------------------------------------------------ */

static void
hear(struct child *c, void *p, size_t n)
{
	char *s = p;
	ssize_t k;

	while (n > 0) {
		if ((k = read(c->go, s, n)) == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			_exit(0);
		s += k;
		n -= (size_t)k;
	}
}

/*
 * Asks for password number i, into c->pass, to be wiped.  Returns 1, 0 if it is
 * none to try, -1 behind the last one.
 */
static int
ask(struct level *l, uint64_t i)
{
	struct child *c = l->c;
	uint32_t n;

	report(c, READER_ASK, NULL, l->path, NULL, (size_t)i);
	hear(c, &n, sizeof(n));
	if (n == READER_NO_MORE || n > SECRET_MAX)
		return -1;
	hear(c, c->pass, n);
	c->pass[n] = '\0';
	return n > 0;
}

/*
 * The next password that libarchive wants to try; it remembers those it was
 * given, and tries the one that worked first.
 */
static const char *
next_pass(struct archive *a, void *ctx)
{
	struct level *l = ctx;
	int r = 0;

	(void)a;
	progress(l->c); /* as many as there are passwords */
	if (!l->own) {
		l->own = 1;
		r = ask(l, 0);
	}
	while (r == 0 && !l->none)
		if ((r = ask(l, l->next++)) == -1)
			l->none = 1;
	if (r == 1)
		l->tried = l->given = 1;
	return r == 1 ? l->c->pass : NULL;
}

/* Bytes in ------------------------------------------------------------- */

/* Has libarchive unpack more of the entry.  Returns 1, 0 at its end, or err. */
static int
unpack(struct level *l)
{
	const void *p;
	int r;

	do {
		r = archive_read_data_block(l->a, &p, &l->n, &l->offset);
		l->p = p;
		/* the hole at the end of a sparse file of tar */
		if (r == ARCHIVE_EOF && l->offset == l->size && l->at < l->size)
			r = ARCHIVE_OK;
		if (r == ARCHIVE_EOF)
			return 0;
		if (r == ARCHIVE_OK && l->offset < l->at) {
			archive_set_error(l->a, EILSEQ,
			    "sparse blocks out of order");
			r = ARCHIVE_FAILED;
		}
	} while (r == ARCHIVE_OK && l->n == 0 && l->at == l->offset);
	l->err = r;
	return r == ARCHIVE_OK ? 1 : r;
}

/*
 * The next bytes of the entry, max at most, with zeros for what a sparse file
 * leaves out.  Returns 1, 0 at its end, or an error of libarchive.
 */
static int
take(struct level *l, size_t max, const uint8_t **p, size_t *n)
{
	static const uint8_t zeros[BLOCK];
	int r = l->err;

	if (r == 0 && l->n == 0 && l->at == l->offset)
		r = unpack(l);
	else if (r == 0)
		r = 1;
	if (r != 1)
		return r;
	if (l->at < l->offset) {
		*n = sizeof(zeros);
		if ((int64_t)*n > l->offset - l->at)
			*n = (size_t)(l->offset - l->at);
		*p = zeros;
	} else {
		*n = l->n;
		*p = l->p;
	}
	if (*n > max)
		*n = max;
	if (l->at == l->offset) {
		l->p += *n;
		l->n -= *n;
		l->offset += (int64_t)*n;
	}
	l->at += (int64_t)*n;
	if (!unpacked(l->c, *n))
		l->err = ARCHIVE_FATAL;
	return l->err == 0 ? 1 : l->err;
}

/* Wipes what was read, which may hold keys, before there is a wait for more. */
static void
wipe(struct level *l)
{
	OPENSSL_cleanse(l->block, sizeof(l->block));
	tool_scrub();
}

/* The next bytes of the container itself, for libarchive. */
static ssize_t
pull(struct archive *a, void *ctx, const void **buf)
{
	struct level *l = ctx;
	const uint8_t *p = NULL;
	size_t len = l->nfirst;
	ssize_t n;
	int r;

	*buf = l->block;
	l->nfirst = 0;
	if (len == 0)
		wipe(l);
	if (len > 0)
		return (ssize_t)len;
	if (l->spool != -1) {
		if ((n = read(l->spool, l->block, sizeof(l->block))) > 0)
			return n;
		(void)close(l->spool);
		l->spool = -1;
	}
	if (l->outer != NULL) {
		r = take(l->outer, SIZE_MAX, &p, &len);
		*buf = p;
		if (r < 0)
			archive_set_error(a, EIO, "%s",
			    archive_error_string(l->outer->a));
		return r < 0 ? ARCHIVE_FATAL : r == 0 ? 0 : (ssize_t)len;
	}
	do
		n = read(l->c->in, l->block, sizeof(l->block));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		archive_set_error(a, errno, "cannot read: %s", strerror(errno));
	return n;
}

/* Reads ahead from a pipe until there are n bytes, or no more. */
static void
read_ahead(struct level *l, size_t n)
{
	ssize_t k;

	while (l->outer == NULL && l->nfirst < n) {
		k = read(l->c->in, l->block + l->nfirst,
		    sizeof(l->block) - l->nfirst);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		l->nfirst += (size_t)k;
	}
}

/*
 * Has it to seek?  A 7z keeps its directory at the end, and so does a zip,
 * which tells from it what is missing; and if it is encrypted, it has to be
 * read again where a wrong password seemed to be right.
 */
static int
seeks(struct level *l)
{
	read_ahead(l, 8);
	return (l->nfirst >= 6 &&
		   memcmp(l->block, "7z\xbc\xaf\x27\x1c", 6) == 0) ||
	    (l->nfirst >= 4 && memcmp(l->block, "PK\3\4", 4) == 0);
}

/*
 * Copies what cannot seek into an anonymous memory file.  A zip that is too
 * large can be read without, if need be.
 */
static int
to_memory(struct level *l)
{
	int zip = l->block[0] == 'P';
	uint64_t all = 0;
	const void *buf;
	struct iovec v;
	ssize_t n;

	l->start = 0;
	if ((l->fd = memfd_create("archive", MFD_CLOEXEC)) == -1)
		return 0;
	while ((n = pull(l->a, l, &buf)) > 0) {
		if ((all += (uint64_t)n) > l->c->limits.memory && !zip) {
			ceiling(l->c, l->base, "memory", l->c->limits.memory);
			return 0;
		}
		v.iov_base = (char *)(uintptr_t)buf;
		v.iov_len = (size_t)n;
		send_all(l->fd, &v, 1);
		if (all > l->c->limits.memory) {
			l->spool = l->fd;
			l->fd = -1;
			(void)lseek(l->spool, 0, SEEK_SET);
			note(l->c, l->base,
			    "a zip larger than -L memory=, from a pipe: what "
			    "is damaged in it may go unseen");
			break;
		}
	}
	return 1;
}

/*
 * Returns 1 if the input begins with a block of zeros: to libarchive that is a
 * tar without members, but it may be the image of a disk.
 */
static int
is_image(struct level *l)
{
	static const char zeros[512];
	char first[sizeof(zeros)];

	if (l->outer != NULL)
		return 0;
	if (l->fd != -1)
		return pread(l->fd, first, sizeof(first), l->start) ==
		    (ssize_t)sizeof(first) &&
		    memcmp(first, zeros, sizeof(zeros)) == 0;
	read_ahead(l, sizeof(zeros));
	return l->nfirst >= sizeof(zeros) &&
	    memcmp(l->block, zeros, sizeof(zeros)) == 0;
}

/* One by one: not mtree (opens local files), no filter that runs programs. */
static void
support(struct level *l)
{
	struct archive *a = l->a;

	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_filter_uu(a);
	if (!is_image(l)) {
		(void)archive_read_support_format_tar(a);
		/* a backup may be several archives one behind the other */
		(void)archive_read_set_options(a,
		    "tar:read_concatenated_archives");
	}
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
	if (l->kind == NULL || l->kind->filter) {
		(void)archive_read_support_format_raw(a);
		(void)archive_read_support_format_empty(a);
	}
	(void)archive_read_set_passphrase_callback(a, l, next_pass);
}

/* Opens it, from its start.  Returns 1, or 0 after saying why not. */
static int
open_archive(struct level *l)
{
	int r;

	if ((l->a = archive_read_new()) == NULL) {
		stop(l->c, "memory", l->c->limits.memory);
		return 0;
	}
	support(l);
	if (l->fd == -1 && seeks(l) && !to_memory(l))
		return 0;
	if (l->fd == -1)
		r = archive_read_open(l->a, l, NULL, pull, NULL);
	else {
		(void)lseek(l->fd, l->start, SEEK_SET);
		r = archive_read_open_fd(l->a, l->fd, BLOCK / 2);
	}
	if (r < ARCHIVE_WARN)
		failed(l, l->base);
	return r >= ARCHIVE_WARN;
}

/* The next header; its entry, if there is one. */
static int
next_header(struct level *l, struct archive_entry **e)
{
	int r = archive_read_next_header(l->a, e);

	l->index += r == ARCHIVE_OK || r == ARCHIVE_WARN;
	l->n = 0;
	l->at = l->offset = 0;
	l->err = 0;
	l->own = 0;
	return r;
}

/*
 * A wrong password may seem right, with ZipCrypto one of 256, until the data
 * proves wrong.  Opens the archive once more at this entry, to go on behind
 * that password.  Returns 1, or 0 if that is no use.
 */
static int
again(struct level *l)
{
	const char *s = archive_error_string(l->a);
	uint64_t index = l->index;
	struct archive_entry *e;

	if ((l->c->reread += index) > REREAD_MAX)
		return 0; /* to get there once more takes as long each time */
	if (!l->tried || l->fd == -1 || l->c->over != NULL || s == NULL ||
	    !l->encrypted || (l->again == index && !l->given) ||
	    strcmp(reason(s), "password") == 0 ||
	    strcmp(reason(s), "unsupported") == 0)
		return 0;
	/* what opened before is tried first, so begin at the first one */
	if (l->again != index) {
		l->next = 1;
		l->none = 0;
	}
	l->again = index;
	l->given = 0;
	(void)archive_read_free(l->a);
	if (!open_archive(l))
		return 0;
	for (l->index = 0; l->index < index;)
		if (next_header(l, &e) < ARCHIVE_WARN)
			return 0;
	return 1;
}

/* Members --------------------------------------------------------------- */

static int walk(struct level *);

/* The member of a tar is whole, only its padding was cut off. */
static int
all_but_padding(struct level *l, size_t len)
{
	return (archive_format(l->a) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_TAR &&
	    l->size == (int64_t)len &&
	    strcmp(reason(archive_error_string(l->a)), "cut") == 0;
}

/*
 * The member is an archive: reads it, of which len bytes at c->data are gone
 * already.
 */
static void
inner(struct level *l, const struct kind *kind, size_t len)
{
	struct child *c = l->c;
	struct level *in = &c->level[1];
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
	if (open_archive(in))
		(void)walk(in);
	(void)archive_read_free(in->a);
	OPENSSL_cleanse(in->block, sizeof(in->block));
	free(in->path);
	if (in->fd != -1)
		(void)close(in->fd);
	if (in->spool != -1)
		(void)close(in->spool);
	if (l->err < 0 && !all_but_padding(l, (size_t)l->at)) {
		failed(l, l->path);
	} else if (c->events == before) {
		(void)snprintf(text, sizeof(text),
		    "%s archive with nothing in it", kind->name);
		c->members++;
		fault(c, "empty", l->path, text);
	}
}

/* All of a member past its ceiling; len bytes of it are at c->data. */
static void
pieces(struct level *l, size_t len)
{
	struct child *c = l->c;
	const uint8_t *p = c->data;
	const char *s;
	size_t n;
	int r = 1;

	for (; len > 0; p += n, len -= n) {
		n = len < WALK_PIECE_BYTES ? len : WALK_PIECE_BYTES;
		report(c, WALK_PIECE, NULL, NULL, p, n);
	}
	while ((r = take(l, WALK_PIECE_BYTES, &p, &n)) == 1)
		report(c, WALK_PIECE, NULL, NULL, p, n);
	s = archive_error_string(l->a);
	if (c->over != NULL)
		s = "past a ceiling";
	else if (s == NULL)
		s = "it ends early";
	report(c, WALK_PIECES_END, c->over != NULL ? "ceiling" : reason(s),
	    NULL, s, r == 0 ? 0 : strnlen(s, READER_TEXT));
}

/* Reads on into c->data, to len bytes.  As take(). */
static int
fill(struct level *l, size_t *len, size_t to)
{
	const uint8_t *p;
	size_t n;
	int r = 1;

	while (*len < to && (r = take(l, to - *len, &p, &n)) == 1) {
		memcpy(l->c->data + *len, p, n);
		*len += n;
	}
	return r;
}

/* A member, of which len bytes are at c->data. */
static void
deliver(struct level *l, size_t len)
{
	struct child *c = l->c;
	int big = len > c->limits.member;

	if (starved(c))
		return;
	c->events++;
	report(c, big ? WALK_BIG : WALK_MEMBER, NULL, l->path, c->data,
	    big && len > READER_HEAD ? READER_HEAD : len);
	progress(c);
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
	} while (r < 0 && kind == NULL && again(l));
	OPENSSL_cleanse(c->pass, sizeof(c->pass));
	if (kind != NULL)
		inner(l, kind, len);
	else if (r < 0 && (len == 0 || !all_but_padding(l, len)))
		unreadable(l);
	else if (len == 0 && link)
		note(c, l->path, LINK);
	else
		deliver(l, len);
	OPENSSL_cleanse(c->data, len);
	if (l->err == ARCHIVE_FATAL)
		fault(c, reason(archive_error_string(l->a)), l->base,
		    NO_FURTHER);
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
		note(c, l->path, LINK);
		return;
	}
	/* some formats do not say what an entry is */
	if (archive_entry_filetype(e) != AE_IFREG &&
	    archive_entry_filetype(e) != 0)
		return;
	if (++c->members > c->limits.members)
		stop(c, "members", c->limits.members);
	else if (l->encrypted && format != ARCHIVE_FORMAT_ZIP)
		fault(c, "password", l->path,
		    "encrypted by the archive: " OWN_TOOL);
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
	    (archive_filter_count(l->a) > 1 || format == ARCHIVE_FORMAT_7ZIP ||
		format == ARCHIVE_FORMAT_CAB ||
		format == ARCHIVE_FORMAT_RAR_V5 ||
		(l->size == -1 && format != ARCHIVE_FORMAT_RAW)))
		while ((r = archive_read_data_block(l->a, &p, &n, &offset)) !=
		    ARCHIVE_EOF) {
			if (r == ARCHIVE_FATAL || !unpacked(l->c, n))
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
		stop(c, "warnings", c->limits.warnings);
	else if (r == ARCHIVE_FAILED ||
	    (s != NULL && strncmp(s, "Skipped ", 8) == 0)) /* cpio */
		failed(l, l->base);
	else
		note(c, l->base, s == NULL ? "warning" : s);
}

/* A block of a tar is no header: a member is gone.  Said once in a row. */
static void
lost(struct level *l)
{
	if (!l->lost)
		fault(l->c, "damaged", l->base,
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

	while ((r = next_header(l, &e)) != ARCHIVE_EOF) {
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
				failed(l, l->base);
			return 0;
		}
		if (l->again == l->index) { /* all are for the others again */
			l->next = 1;
			l->none = 0;
		}
		before = archive_filter_bytes(l->a, 0);
	}
	if (tar_cut(l, before))
		fault(c, "cut", l->base,
		    "no end-of-archive marker: the archive "
		    "was cut between two members");
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
	struct level *l = &c->level[0];
	const char *over;

	l->c = c;
	l->next = 1;
	l->spool = -1;
	l->start = lseek(c->in, 0, SEEK_CUR);
	l->fd = l->start == -1 ? -1 : c->in;
	c->data = malloc(c->limits.member < KIND_BYTES ?
		KIND_BYTES :
		(size_t)c->limits.member + 1);
	if (c->data == NULL)
		stop(c, "memory", c->limits.memory);
	else if (open_archive(l) && walk(l)) {
		if (archive_format(l->a) == ARCHIVE_FORMAT_EMPTY &&
		    archive_filter_count(l->a) == 1)
			fault(c, "empty", NULL,
			    "empty input: expected a backup");
		else
			drain(l);
	}
	(void)starved(c);
	if ((over = c->over) != NULL) {
		c->over = NULL;
		ceiling(c, NULL, over, c->over_at);
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
	(void)close_range(STDERR_FILENO + 2, ~0U, 0);
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
	progress(&c);
	/* what libarchive frees is wiped, but for small pieces */
	(void)mallopt(M_PERTURB, 0xff);
	/* what iconv loads for names from Japan, in lha and cab */
	(void)iconv_open("UTF-8", "CP932");
	msg_level = 0; /* the parent says what the system lacks */
	sandbox_enter(NULL);
	errno = 0; /* from here on: see starved() */
	input(&c);
	report(&c, WALK_END, NULL, NULL, NULL, 0);
	_exit(0);
}
