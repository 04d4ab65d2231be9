#include "unpack/container.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/pem.h"

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
container_failed(struct container *c, const char *path)
{
	const char *s = archive_error_string(c->a), *why, *remedy;
	char text[FRAME_TEXT];
	size_t n;

	/* it is not the inner one's fault that the outer one breaks */
	if (c->outer != NULL && c->outer->err < 0)
		return;
	if (archive_errno(c->a) == ENOMEM ||
	    (s != NULL && strcasestr(s, "allocate") != NULL)) {
		limits_ceiling(c->limits, path, "memory",
		    c->limits->max.memory);
		return;
	}
	if (s == NULL && c->index == 0 &&
	    archive_read_has_encrypted_entries(c->a) > 0)
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
	limits_fault(c->limits, why, path, text);
}

void
container_unreadable(struct container *c)
{
	const char *s = archive_error_string(c->a);

	if (!c->encrypted || (s != NULL && strcasestr(s, "support") != NULL))
		container_failed(c, c->path);
	else if (c->cut == c->index)
		limits_fault(c->limits, "cut", c->path,
		    "encrypted by the archive, which is cut or damaged here: "
		    "fetch it again");
	else if (!c->passwords.tried)
		limits_fault(c->limits, "password", c->path,
		    "encrypted by the archive: give its password with -p");
	else if (c->feed.fd != -1 || (s != NULL && strcasestr(s, "passphrase")))
		limits_fault(c->limits, "password", c->path,
		    "encrypted by the archive: no password opens it (wrong "
		    "password or damaged file): give its password with -p, "
		    "or " CONTAINER_ELSEWHERE);
	else
		limits_fault(c->limits, "password", c->path, CONTAINER_ALONE);
}

/* Reading -------------------------------------------------------------- */

/* Unpacks more of the entry.  Returns 1, 0 at its end, or err. */
static int
unpack(struct container *c)
{
	const void *p;
	int r;

	do {
		r = archive_read_data_block(c->a, &p, &c->n, &c->offset);
		c->p = p;
		/* the hole at the end of a sparse file of tar */
		if (r == ARCHIVE_EOF && c->offset == c->size && c->at < c->size)
			r = ARCHIVE_OK;
		if (r == ARCHIVE_EOF)
			return 0;
		if (r == ARCHIVE_OK && c->offset < c->at) {
			archive_set_error(c->a, EILSEQ,
			    "sparse blocks out of order");
			r = ARCHIVE_FAILED;
		}
	} while (r == ARCHIVE_OK && c->n == 0 && c->at == c->offset);
	c->err = r;
	return r == ARCHIVE_OK ? 1 : r;
}

int
container_take(struct container *c, size_t max, const uint8_t **p, size_t *n)
{
	static const uint8_t zeros[FEED_BLOCK];
	int r = c->err;

	if (r == 0 && c->n == 0 && c->at == c->offset)
		r = unpack(c);
	else if (r == 0)
		r = 1;
	if (r != 1)
		return r;
	if (c->at < c->offset) {
		*n = sizeof(zeros);
		if ((int64_t)*n > c->offset - c->at)
			*n = (size_t)(c->offset - c->at);
		*p = zeros;
	} else {
		*n = c->n;
		*p = c->p;
	}
	if (*n > max)
		*n = max;
	if (c->at == c->offset) {
		c->p += *n;
		c->n -= *n;
		c->offset += (int64_t)*n;
	}
	c->at += (int64_t)*n;
	if (!limits_unpacked(c->limits, *n))
		c->err = ARCHIVE_FATAL;
	return c->err == 0 ? 1 : c->err;
}

/* Copies the error from another archive. */
static void
hand_on(struct archive *to, struct archive *from)
{
	if (archive_error_string(from) != NULL)
		archive_set_error(to, archive_errno(from), "%s",
		    archive_error_string(from));
}

/* Gives the next bytes that the filter unpacks. */
static ssize_t
unpacked(struct archive *a, struct container *c, const void **buf)
{
	int64_t offset;
	size_t n;
	int r = ARCHIVE_EOF;

	if (archive_format(c->filter) != ARCHIVE_FORMAT_EMPTY)
		r = archive_read_data_block(c->filter, buf, &n, &offset);
	if (r == ARCHIVE_OK)
		return (ssize_t)n;
	if (r == ARCHIVE_EOF)
		return 0;
	hand_on(a, c->filter);
	return ARCHIVE_FATAL;
}

ssize_t
container_more(struct container *c, struct feed_given *f, const void **buf)
{
	size_t n = f->n;

	*buf = f->p;
	f->n = 0;
	if (n > 0)
		return (ssize_t)n;
	return f == &c->unpacked ? unpacked(c->a, c, buf) :
				   feed_read(&c->feed, c->a, buf);
}

/* Callbacks of libarchive: one for filter, one from it for a. */
static ssize_t
to_filter(struct archive *a, void *ctx, const void **buf)
{
	struct container *c = ctx;
	ssize_t n;

	feed_keep(&c->packed, a);
	n = feed_read(&c->feed, a, buf);
	/* the uu filter passes by PEM, as all that is not encoded */
	if (c->text && n > 0)
		(void)pem_seen(&c->pem, *buf, (size_t)n);
	return feed_note(&c->packed, *buf, n);
}

static ssize_t
to_format(struct archive *a, void *ctx, const void **buf)
{
	struct container *c = ctx;
	ssize_t n;

	feed_keep(&c->unpacked, a);
	n = unpacked(a, c, buf);
	return feed_note(&c->unpacked, *buf, n);
}

/* Enables filters one by one, and none that runs programs. */
static void
support_filters(struct archive *a)
{
	(void)archive_read_support_filter_gzip(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_lzma(a);
	(void)archive_read_support_filter_lzip(a);
	(void)archive_read_support_filter_rpm(a);
	(void)archive_read_support_filter_zstd(a);
	(void)archive_read_support_filter_lz4(a);
	(void)archive_read_support_filter_compress(a);
	(void)archive_read_support_filter_uu(a);
	(void)archive_read_support_format_raw(a);
	(void)archive_read_support_format_empty(a);
}

/* Enables formats, but not mtree, which opens local files. */
static void
support_formats(struct container *c)
{
	struct archive *a = c->a;

	if (!feed_is_image(&c->feed)) {
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
	if (c->kind == NULL || c->kind->filter) {
		(void)archive_read_support_format_raw(a);
		(void)archive_read_support_format_empty(a);
	}
	(void)archive_read_set_passphrase_callback(a, &c->passwords,
	    passwords_next);
}

/*
 * Opens the filter of a compressed archive, so that it is known where each of
 * the two ends.  Returns 1, 0 if the archive needs none since it is not
 * compressed and can seek, or an error of libarchive.
 */
static int
open_filter(struct container *c)
{
	struct archive_entry *e;
	int r;

	support_filters(c->filter);
	c->text = 1;
	c->pem = 0;
	r = archive_read_open(c->filter, c, NULL, to_filter, NULL);
	c->text = archive_filter_code(c->filter,
		      archive_filter_count(c->filter) - 2) == ARCHIVE_FILTER_UU;
	if (r >= ARCHIVE_WARN && c->feed.fd != -1 &&
	    archive_filter_count(c->filter) == 1)
		return 0;
	if (r >= ARCHIVE_WARN)
		r = archive_read_next_header(c->filter, &e);
	if (r < ARCHIVE_WARN)
		hand_on(c->a, c->filter);
	return r < ARCHIVE_WARN ? r : 1;
}

/* Gives the next bytes of an inner archive, as an archive_read_callback. */
static ssize_t
from_outer(struct archive *a, void *ctx, const void **buf)
{
	struct container *outer = ctx;
	const uint8_t *p = NULL;
	size_t n = 0;
	int r = container_take(outer, SIZE_MAX, &p, &n);

	*buf = p;
	if (r < 0)
		archive_set_error(a, EIO, "%s", archive_error_string(outer->a));
	return r < 0 ? ARCHIVE_FATAL : (ssize_t)n;
}

int
container_open(struct container *c)
{
	int r;

	c->feed.limits = c->passwords.limits = c->limits;
	c->feed.base = c->base;
	c->feed.outer = c->outer == NULL ? NULL : from_outer;
	c->feed.ctx = c->outer;
	c->a = archive_read_new();
	c->filter = archive_read_new();
	if (c->a == NULL || c->filter == NULL) {
		limits_stop(c->limits, "memory", c->limits->max.memory);
		return 0;
	}
	if (!feed_open(&c->feed, c->a))
		return 0;
	support_formats(c);
	memset(&c->packed, 0, sizeof(c->packed));
	memset(&c->unpacked, 0, sizeof(c->unpacked));
	feed_rewind(&c->feed);
	r = open_filter(c);
	if (r == 1)
		r = archive_read_open(c->a, c, NULL, to_format, NULL);
	else if (r == 0) {
		(void)archive_read_free(c->filter);
		c->filter = NULL;
		OPENSSL_cleanse(&c->packed, sizeof(c->packed));
		feed_rewind(&c->feed);
		r = archive_read_open_fd(c->a, c->feed.fd, FEED_READ);
	}
	if (r < ARCHIVE_WARN)
		container_failed(c, c->base);
	return r >= ARCHIVE_WARN;
}

int
container_packed(const struct container *c)
{
	return c->filter != NULL && archive_filter_count(c->filter) > 1;
}

/* Reads the next header, as archive_read_next_header() does. */
static int
header(struct container *c, struct archive_entry **e)
{
	int r = archive_read_next_header(c->a, e);

	c->index += r == ARCHIVE_OK || r == ARCHIVE_WARN;
	c->n = 0;
	c->at = c->offset = 0;
	c->err = 0;
	return r;
}

int
container_next(struct container *c, struct archive_entry **e)
{
	passwords_entry(&c->passwords);
	return header(c, e);
}

/* Opens the archive again, at this entry.  Returns 1, or 0. */
static int
reopen(struct container *c)
{
	uint64_t index = c->index;
	struct archive_entry *e;

	(void)archive_read_free(c->a);
	(void)archive_read_free(c->filter);
	if (!container_open(c))
		return 0;
	for (c->index = 0; c->index < index;)
		if (header(c, &e) < ARCHIVE_WARN)
			return 0;
	return 1;
}

/* Counts the entries that are skipped to reach this one again. */
static int
may_reopen(struct container *c)
{
	return c->passwords.tried && c->feed.fd != -1 &&
	    (c->limits->reread += c->index) <= REREAD_MAX;
}

int
container_prove(struct container *c)
{
	uint64_t total = c->limits->total;
	const uint8_t *p;
	size_t n;
	int r;

	if (!may_reopen(c))
		return 0;
	while ((r = container_take(c, SIZE_MAX, &p, &n)) == 1)
		continue;
	if (r < 0)
		return r;
	c->limits->total = total;
	passwords_repeat(&c->passwords);
	return reopen(c) ? 1 : ARCHIVE_FATAL;
}

int
container_again(struct container *c)
{
	const char *s = archive_error_string(c->a), *why = container_reason(s);

	if (!c->encrypted || !may_reopen(c))
		return 0;
	/* no wrong password makes it read past the end */
	if (s == NULL || strcasestr(s, "truncated") != NULL)
		c->cut = c->index;
	if (c->limits->over != NULL || s == NULL ||
	    (c->passwords.again && !c->passwords.given) ||
	    strcmp(why, "password") == 0 || strcmp(why, "unsupported") == 0)
		return 0;
	passwords_others(&c->passwords);
	return reopen(c);
}

void
container_close(struct container *c)
{
	(void)archive_read_free(c->a);
	(void)archive_read_free(c->filter);
	OPENSSL_cleanse(&c->packed, sizeof(c->packed));
	OPENSSL_cleanse(&c->unpacked, sizeof(c->unpacked));
	free(c->path);
	feed_close(&c->feed);
}
