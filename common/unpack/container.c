#include "unpack/container.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/heap.h"
#include "unpack/child.h"

#define REREAD_MAX 1000000

const char *
container_reason(const char *s)
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

void
container_failed(struct container *l, const char *path)
{
	const char *s = archive_error_string(l->a), *why, *remedy;
	char text[CHILD_TEXT];
	size_t n;

	/* it is not the inner one's fault that the outer one breaks */
	if (l->outer != NULL && l->outer->err < 0)
		return;
	if (archive_errno(l->a) == ENOMEM ||
	    (s != NULL && strcasestr(s, "allocate") != NULL)) {
		limits_ceiling(l->c, path, "memory", l->c->limits.memory);
		return;
	}
	if (s == NULL && l->index == 0 &&
	    archive_read_has_encrypted_entries(l->a) > 0)
		s = "its directory is encrypted";
	why = container_reason(s);
	if (strcmp(why, "password") == 0 || strcmp(why, "unsupported") == 0)
		remedy = CONTAINER_ELSEWHERE;
	else
		remedy = "the archive is cut or damaged here: fetch it again";
	if (s == NULL)
		s = "it ends early";
	for (n = strlen(s); n > 0 && strchr(".\n", s[n - 1]) != NULL;)
		n--;
	(void)snprintf(text, sizeof(text), "%.*s: %s", (int)n, s, remedy);
	limits_fault(l->c, why, path, text);
}

/* The entry cannot be read. */
void
container_unreadable(struct container *l)
{
	const char *s = archive_error_string(l->a);

	if (!l->encrypted || (s != NULL && strcasestr(s, "support") != NULL))
		container_failed(l, l->path);
	else if (l->cut == l->index)
		limits_fault(l->c, "cut", l->path,
		    "encrypted by the archive, which is cut or damaged here: "
		    "fetch it again");
	else if (!l->tried)
		limits_fault(l->c, "password", l->path,
		    "encrypted by the archive: give its password with -p");
	else if (l->fd != -1 || (s != NULL && strcasestr(s, "passphrase")))
		limits_fault(l->c, "password", l->path,
		    "encrypted by the archive: no password opens it (wrong "
		    "password or damaged file): give its password with -p, "
		    "or " CONTAINER_ELSEWHERE);
	else
		limits_fault(l->c, "password", l->path, CONTAINER_ALONE);
}

/* Passwords ------------------------------------------------------------ */

/*
 * Asks for password number i, into c->pass, to be wiped.  Returns 1, 0 if it is
 * none to try, -1 behind the last one.
 */
static int
ask(struct container *l, uint64_t i)
{
	struct limits *c = l->c;
	uint32_t n;

	limits_report(c, CHILD_ASK, NULL, l->path, NULL, (size_t)i);
	limits_hear(c, &n, sizeof(n));
	if (n == CHILD_NO_MORE || n > SECRET_MAX)
		return -1;
	limits_hear(c, c->pass, n);
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
	struct container *l = ctx;
	uint64_t i = 0;
	int r = 0;

	(void)a;
	limits_progress(l->c); /* as many as there are passwords */
	if (l->repeat) {
		l->repeat = 0;
		i = l->last;
		r = ask(l, i);
	}
	if (r == 0 && !l->own) {
		l->own = 1;
		i = 0;
		r = ask(l, i);
	}
	while (r == 0 && !l->none) {
		i = l->next++;
		if ((r = ask(l, i)) == -1)
			l->none = 1;
	}
	if (r != 1)
		return NULL;
	l->tried = l->given = 1;
	l->last = i;
	return l->c->pass;
}

/* Bytes in ------------------------------------------------------------- */

/* Has libarchive unpack more of the entry.  Returns 1, 0 at its end, or err. */
static int
unpack(struct container *l)
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

int
container_take(struct container *l, size_t max, const uint8_t **p, size_t *n)
{
	static const uint8_t zeros[CONTAINER_BLOCK];
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
	if (!limits_unpacked(l->c, *n))
		l->err = ARCHIVE_FATAL;
	return l->err == 0 ? 1 : l->err;
}

/* Wipes what was read, which may hold keys, before there is a wait for more. */
static void
wipe(struct container *l)
{
	OPENSSL_cleanse(l->block, sizeof(l->block));
	heap_scrub();
}

/* The next bytes of the container itself. */
static ssize_t
input(struct archive *a, struct container *l, const void **buf)
{
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
		if ((n = read(l->spool, l->block, CONTAINER_READ)) > 0)
			return n;
		(void)close(l->spool);
		l->spool = -1;
	}
	if (l->outer != NULL && l->fd == -1) {
		r = container_take(l->outer, SIZE_MAX, &p, &len);
		*buf = p;
		if (r < 0)
			archive_set_error(a, EIO, "%s",
			    archive_error_string(l->outer->a));
		return r < 0 ? ARCHIVE_FATAL : r == 0 ? 0 : (ssize_t)len;
	}
	do
		n = read(l->fd == -1 ? l->c->in : l->fd, l->block,
		    CONTAINER_READ);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		archive_set_error(a, errno, "cannot read: %s", strerror(errno));
	return n;
}

/* The error is another archive's too. */
static void
hand_on(struct archive *to, struct archive *from)
{
	if (archive_error_string(from) != NULL)
		archive_set_error(to, archive_errno(from), "%s",
		    archive_error_string(from));
}

/* As container_left(), of no more than the last max bytes. */
static void
left_of(struct container_feed *f, struct archive *a, size_t max)
{
	int64_t all = f->all - archive_filter_bytes(a, -1);
	size_t left = all < 0 || (size_t)all > max ? max : (size_t)all;
	size_t last = left > f->n ? f->n : left;
	size_t old = left - last > f->nleft ? f->nleft : left - last;

	memmove(f->left, f->left + f->nleft - old, old);
	OPENSSL_cleanse(f->left + old, f->nleft - old);
	f->nleft = old;
	if (f->n > last)
		f->p += f->n - last;
	f->n = last;
}

void
container_left(struct container_feed *f, struct archive *a)
{
	left_of(f, a, SIZE_MAX);
}

/* Keeps what the archive did not take, as it is given more. */
static void
keep(struct container_feed *f, struct archive *a)
{
	left_of(f, a, CONTAINER_BLOCK);
	if (f->n > 0)
		memcpy(f->left + f->nleft, f->p, f->n);
	f->nleft += f->n;
	f->n = 0;
}

/* The next bytes that the filter unpacks. */
static ssize_t
unpacked(struct archive *a, struct container *l, const void **buf)
{
	int64_t offset;
	size_t n;
	int r = ARCHIVE_EOF;

	if (archive_format(l->filter) != ARCHIVE_FORMAT_EMPTY)
		r = archive_read_data_block(l->filter, buf, &n, &offset);
	if (r == ARCHIVE_OK)
		return (ssize_t)n;
	if (r == ARCHIVE_EOF)
		return 0;
	hand_on(a, l->filter);
	return ARCHIVE_FATAL;
}

ssize_t
container_more(struct container *l, struct container_feed *f, const void **buf)
{
	size_t n = f->n;

	*buf = f->p;
	f->n = 0;
	if (n > 0)
		return (ssize_t)n;
	return f == &l->unpacked ? unpacked(l->a, l, buf) : input(l->a, l, buf);
}

/* Notes what libarchive is given. */
static ssize_t
given(struct container_feed *f, const void *p, ssize_t n)
{
	if (n > 0) {
		f->p = p;
		f->n = (size_t)n;
		f->all += n;
	}
	return n;
}

/* Looks for PEM, which the uu filter passes by, as all that is not encoded. */
static void
look_for_pem(struct container *l, const uint8_t *p, size_t n)
{
	static const char pem[] = CONTAINER_PEM;

	for (; n > 0 && l->pem < sizeof(pem) - 1; n--, p++)
		if (*p == (uint8_t)pem[l->pem])
			l->pem++;
		else if (*p != '-')
			l->pem = 0;
		else if (l->pem != 5) /* a sixth dash is one of five */
			l->pem = 1;
}

/* Callbacks of libarchive: for filter, and from it for a. */
static ssize_t
to_filter(struct archive *a, void *ctx, const void **buf)
{
	struct container *l = ctx;
	ssize_t n;

	keep(&l->packed, a);
	n = input(a, l, buf);
	if (l->text && n > 0)
		look_for_pem(l, *buf, (size_t)n);
	return given(&l->packed, *buf, n);
}

static ssize_t
to_format(struct archive *a, void *ctx, const void **buf)
{
	struct container *l = ctx;
	ssize_t n;

	keep(&l->unpacked, a);
	n = unpacked(a, l, buf);
	return given(&l->unpacked, *buf, n);
}

/* Reads ahead from a pipe until there are n bytes, or no more. */
static void
read_ahead(struct container *l, size_t n)
{
	ssize_t k;

	while (l->outer == NULL && l->nfirst < n) {
		k = read(l->c->in, l->block + l->nfirst, n - l->nfirst);
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
seeks(struct container *l)
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
to_memory(struct container *l)
{
	int zip = l->block[0] == 'P';
	uint64_t all = 0;
	const void *buf;
	struct iovec v;
	ssize_t n;
	int fd = memfd_create("archive", MFD_CLOEXEC);

	l->start = 0;
	if (fd == -1)
		return 0;
	while ((n = input(l->a, l, &buf)) > 0) {
		if ((all += (uint64_t)n) > l->c->limits.memory && !zip) {
			limits_ceiling(l->c, l->base, "memory",
			    l->c->limits.memory);
			(void)close(fd);
			return 0;
		}
		v.iov_base = (char *)(uintptr_t)buf;
		v.iov_len = (size_t)n;
		limits_send(fd, &v, 1);
		if (all > l->c->limits.memory) {
			l->spool = fd;
			fd = -1;
			(void)lseek(l->spool, 0, SEEK_SET);
			limits_note(l->c, l->base,
			    "a zip larger than -L memory=, from a pipe: what "
			    "is damaged in it may go unseen");
			break;
		}
	}
	l->fd = fd;
	return 1;
}

/*
 * Returns 1 if the input begins with a block of zeros: to libarchive that is a
 * tar without members, but it may be the image of a disk.
 */
static int
is_image(struct container *l)
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

/* One by one: no filter that runs programs. */
static void
support_filters(struct archive *a)
{
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_filter_uu(a);
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_format_empty(a);
}

/* Not mtree, which opens local files. */
static void
support_formats(struct container *l)
{
	struct archive *a = l->a;

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

/*
 * Opens what unpacks a compressed archive for another one to read, so that it is
 * known where each of them ends.  Returns 1, 0 if that is for nothing since the
 * archive is not compressed and can seek, or an error of libarchive.
 */
static int
open_filter(struct container *l)
{
	struct archive_entry *e;
	int r;

	support_filters(l->filter);
	l->text = 1;
	l->pem = 0;
	r = archive_read_open(l->filter, l, NULL, to_filter, NULL);
	l->text = archive_filter_code(l->filter,
		      archive_filter_count(l->filter) - 2) == ARCHIVE_FILTER_UU;
	if (r >= ARCHIVE_WARN && l->fd != -1 &&
	    archive_filter_count(l->filter) == 1)
		return 0;
	if (r >= ARCHIVE_WARN)
		r = archive_read_next_header(l->filter, &e);
	if (r < ARCHIVE_WARN)
		hand_on(l->a, l->filter);
	return r < ARCHIVE_WARN ? r : 1;
}

int
container_open(struct container *l)
{
	int r;

	l->a = archive_read_new();
	l->filter = archive_read_new();
	if (l->a == NULL || l->filter == NULL) {
		limits_stop(l->c, "memory", l->c->limits.memory);
		return 0;
	}
	if (l->fd == -1 && seeks(l) && !to_memory(l))
		return 0;
	support_formats(l);
	memset(&l->packed, 0, sizeof(l->packed));
	memset(&l->unpacked, 0, sizeof(l->unpacked));
	if (l->fd != -1)
		(void)lseek(l->fd, l->start, SEEK_SET);
	r = open_filter(l);
	if (r == 1)
		r = archive_read_open(l->a, l, NULL, to_format, NULL);
	else if (r == 0) {
		(void)archive_read_free(l->filter);
		l->filter = NULL;
		OPENSSL_cleanse(&l->packed, sizeof(l->packed));
		(void)lseek(l->fd, l->start, SEEK_SET);
		r = archive_read_open_fd(l->a, l->fd, CONTAINER_READ);
	}
	if (r < ARCHIVE_WARN)
		container_failed(l, l->base);
	return r >= ARCHIVE_WARN;
}

int
container_packed(const struct container *l)
{
	return l->filter != NULL && archive_filter_count(l->filter) > 1;
}

int
container_next(struct container *l, struct archive_entry **e)
{
	int r = archive_read_next_header(l->a, e);

	l->index += r == ARCHIVE_OK || r == ARCHIVE_WARN;
	l->n = 0;
	l->at = l->offset = 0;
	l->err = 0;
	l->own = 0;
	return r;
}

/* Opens the archive once more, at this entry.  Returns 1, or 0. */
static int
reopen(struct container *l)
{
	uint64_t index = l->index;
	struct archive_entry *e;

	(void)archive_read_free(l->a);
	(void)archive_read_free(l->filter);
	if (!container_open(l))
		return 0;
	for (l->index = 0; l->index < index;)
		if (container_next(l, &e) < ARCHIVE_WARN)
			return 0;
	return 1;
}

int
container_prove(struct container *l)
{
	uint64_t total = l->c->total;
	const uint8_t *p;
	size_t n;
	int r;

	if (!l->tried || l->fd == -1 || l->c->reread + l->index > REREAD_MAX)
		return 0;
	while ((r = container_take(l, SIZE_MAX, &p, &n)) == 1)
		continue;
	if (r < 0)
		return r;
	l->c->reread += l->index;
	l->c->total = total;
	l->repeat = 1;
	l->next = 1;
	l->none = 0;
	return reopen(l) ? 1 : ARCHIVE_FATAL;
}

int
container_again(struct container *l)
{
	const char *s = archive_error_string(l->a);
	uint64_t index = l->index;

	/* where it can seek, no wrong password makes it read past the end */
	if (l->fd != -1 && l->tried &&
	    (s == NULL || strcasestr(s, "truncated") != NULL))
		l->cut = index;
	if ((l->c->reread += index) > REREAD_MAX)
		return 0; /* to get there once more takes as long each time */
	if (!l->tried || l->fd == -1 || l->c->over != NULL || s == NULL ||
	    !l->encrypted || (l->again == index && !l->given) ||
	    strcmp(container_reason(s), "password") == 0 ||
	    strcmp(container_reason(s), "unsupported") == 0)
		return 0;
	/* what opened before is tried first, so begin at the first one */
	if (l->again != index) {
		l->next = 1;
		l->none = 0;
	}
	l->again = index;
	l->given = 0;
	return reopen(l);
}

void
container_close(struct container *l)
{
	(void)archive_read_free(l->a);
	(void)archive_read_free(l->filter);
	OPENSSL_cleanse(l->block, sizeof(l->block));
	OPENSSL_cleanse(&l->packed, sizeof(l->packed));
	OPENSSL_cleanse(&l->unpacked, sizeof(l->unpacked));
	free(l->path);
	if (l->fd != -1)
		(void)close(l->fd);
	if (l->spool != -1)
		(void)close(l->spool);
}
