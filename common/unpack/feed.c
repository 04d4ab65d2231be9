#include "unpack/feed.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"

/* Reads ahead from a pipe until there are n bytes, or no more. */
static void
feed_ahead(struct feed *f, size_t n)
{
	ssize_t k;

	while (f->outer == NULL && f->nfirst < n &&
	    (k = io_read(FRAME_ARCHIVE, f->block + f->nfirst, n - f->nfirst)) >
		0)
		f->nfirst += (size_t)k;
}

ssize_t
feed_read(struct feed *f, struct archive *a, const void **buf)
{
	size_t n = f->nfirst;
	ssize_t k;

	*buf = f->block;
	f->nfirst = 0;
	if (n > 0)
		return (ssize_t)n;
	/* it may hold keys, and there may be a wait for more */
	OPENSSL_cleanse(f->block, sizeof(f->block));
	heap_scrub();
	if (f->spool != -1) {
		if ((k = io_read(f->spool, f->block, FEED_READ)) > 0)
			return k;
		(void)close(f->spool);
		f->spool = -1;
	}
	if (f->outer != NULL && f->fd == -1)
		return f->outer(a, f->ctx, buf);
	k = io_read(f->fd == -1 ? FRAME_ARCHIVE : f->fd, f->block, FEED_READ);
	if (k == -1)
		archive_set_error(a, errno, "cannot read: %s", strerror(errno));
	return k;
}

/* Reports that memory file fd, if any, has no room (errno).  Returns 0. */
static int
no_copy(struct feed *f, int fd)
{
	char text[256];

	if (!limits_starved(f->limits)) {
		(void)snprintf(text, sizeof(text),
		    "cannot be copied into a memory file: %s: feed it in as a "
		    "file",
		    strerror(errno));
		limits_fault(f->limits, "reader", f->base, text);
	}
	if (fd != -1)
		(void)close(fd);
	return 0;
}

/*
 * Copies the input into an anonymous memory file.  A zip that is too large for
 * one can be read without.
 */
static int
to_memory(struct feed *f, struct archive *a)
{
	uint64_t all = 0, max = f->limits->max.memory;
	int zip = f->block[0] == 'P', fd = memfd_create("archive", MFD_CLOEXEC);
	const void *buf;
	ssize_t n;

	if (fd == -1)
		return no_copy(f, -1);
	while (all <= max && (n = feed_read(f, a, &buf)) > 0) {
		if ((all += (uint64_t)n) > max && !zip) {
			limits_ceiling(f->limits, f->base, "memory", max);
			(void)close(fd);
			return 0;
		}
		if (!io_write_all(fd, buf, (size_t)n))
			return no_copy(f, fd);
	}
	f->start = 0;
	if (all <= max) {
		f->fd = fd;
		return 1;
	}
	f->spool = fd;
	(void)lseek(fd, 0, SEEK_SET);
	limits_fault(f->limits, "ceiling", f->base,
	    "a zip that is larger than -L memory=, from a pipe: what is "
	    "damaged in it may go unseen: feed it in as a file, or raise that");
	return 1;
}

/*
 * Copies what must seek.  A 7z has its directory at the end.  So has a zip: it
 * tells what is missing; and a wrong password may mean a second reading.
 */
int
feed_open(struct feed *f, struct archive *a)
{
	if (f->fd != -1)
		return 1;
	feed_ahead(f, 8);
	if ((f->nfirst >= 6 &&
		memcmp(f->block, "7z\xbc\xaf\x27\x1c", 6) == 0) ||
	    (f->nfirst >= 4 && memcmp(f->block, "PK\3\4", 4) == 0))
		return to_memory(f, a);
	return 1;
}

void
feed_rewind(struct feed *f)
{
	if (f->fd != -1)
		(void)lseek(f->fd, f->start, SEEK_SET);
}

void
feed_close(struct feed *f)
{
	OPENSSL_cleanse(f->block, sizeof(f->block));
	if (f->fd != -1)
		(void)close(f->fd);
	if (f->spool != -1)
		(void)close(f->spool);
}

int
feed_is_image(struct feed *f)
{
	static const char zeros[512];
	char first[sizeof(zeros)];

	if (f->outer != NULL || f->spool != -1)
		return 0;
	if (f->fd != -1)
		return pread(f->fd, first, sizeof(first), f->start) ==
		    (ssize_t)sizeof(first) &&
		    memcmp(first, zeros, sizeof(zeros)) == 0;
	feed_ahead(f, sizeof(zeros));
	return f->nfirst >= sizeof(zeros) &&
	    memcmp(f->block, zeros, sizeof(zeros)) == 0;
}

/* Finds what was left among the last max bytes. */
static void
left_of(struct feed_given *g, struct archive *a, size_t max)
{
	int64_t all = g->all - archive_filter_bytes(a, -1);
	size_t left = all < 0 || (size_t)all > max ? max : (size_t)all;
	size_t last = left > g->n ? g->n : left;
	size_t old = left - last > g->nleft ? g->nleft : left - last;

	memmove(g->left, g->left + g->nleft - old, old);
	OPENSSL_cleanse(g->left + old, g->nleft - old);
	g->nleft = old;
	if (g->n > last)
		g->p += g->n - last;
	g->n = last;
}

void
feed_left(struct feed_given *g, struct archive *a)
{
	left_of(g, a, SIZE_MAX);
}

void
feed_keep(struct feed_given *g, struct archive *a)
{
	left_of(g, a, FEED_BLOCK);
	if (g->n > 0)
		memcpy(g->left + g->nleft, g->p, g->n);
	g->nleft += g->n;
	g->n = 0;
}

ssize_t
feed_note(struct feed_given *g, const void *p, ssize_t n)
{
	if (n > 0) {
		g->p = p;
		g->n = (size_t)n;
		g->all += n;
	}
	return n;
}
