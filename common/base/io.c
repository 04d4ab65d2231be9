#include "base/io.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"

#define FIRST (64 * 1024) /* bytes that io_slurp() has room for at first */

/* Repeats a call that a signal interrupted: the only place that does. */
#define AGAIN(rc, call) \
	do \
		(rc) = (call); \
	while ((rc) == -1 && errno == EINTR)

ssize_t
io_read(int fd, void *p, size_t n)
{
	ssize_t rc;

	AGAIN(rc, read(fd, p, n));
	return rc;
}

ssize_t
io_writev(int fd, const struct iovec *v, int n)
{
	ssize_t rc;

	AGAIN(rc, writev(fd, v, n));
	return rc;
}

int
io_poll(struct pollfd *p, nfds_t n, int ms)
{
	int rc;

	AGAIN(rc, poll(p, n, ms));
	return rc;
}

int64_t
io_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

ssize_t
io_read_all(int fd, void *p, size_t n)
{
	size_t got = 0;
	ssize_t k = 0;

	while (got < n && (k = io_read(fd, (char *)p + got, n - got)) > 0)
		got += (size_t)k;
	return k == -1 ? -1 : (ssize_t)got;
}

ssize_t
io_pread_all(int fd, void *p, size_t n, off_t at)
{
	size_t got = 0;
	ssize_t k;

	while (got < n) {
		AGAIN(k, pread(fd, (char *)p + got, n - got, at + (off_t)got));
		if (k == -1)
			return -1;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

int
io_pwrite_all(int fd, const void *p, size_t n, off_t at)
{
	const char *s = p;
	ssize_t k;

	for (; n > 0; n -= (size_t)k, at += k, s += k) {
		AGAIN(k, pwrite(fd, s, n, at));
		if (k == -1)
			return 0;
	}
	return 1;
}

int
io_write_all(int fd, const void *p, size_t n)
{
	struct iovec v = { (void *)(uintptr_t)p, n };

	return io_writev_all(fd, &v, 1);
}

void
io_skip(struct iovec *v, int n, size_t bytes)
{
	size_t k;

	for (; n > 0; n--, v++, bytes -= k) {
		k = bytes < v->iov_len ? bytes : v->iov_len;
		if (k > 0) /* iov_base may be NULL */
			v->iov_base = (char *)v->iov_base + k;
		v->iov_len -= k;
	}
}

int
io_writev_all(int fd, struct iovec *v, int n)
{
	ssize_t k;

	for (;;) {
		for (; n > 0 && v->iov_len == 0; n--)
			v++;
		if (n == 0)
			return 1;
		if ((k = io_writev(fd, v, n)) == -1)
			return 0;
		io_skip(v, n, (size_t)k);
	}
}

uint8_t *
io_slurp(int fd, size_t max, size_t *n, struct reason *w)
{
	size_t room = 0;
	uint8_t *buf = array_grow(NULL, &room, FIRST, 1);
	ssize_t k;

	*n = 0;
	while ((k = io_read(fd, buf + *n, room - *n)) > 0) {
		if ((*n += (size_t)k) > max)
			break;
		if (*n == room)
			buf = array_grow(buf, &room, room + 1, 1);
	}
	if (k == 0)
		return buf;
	if (k == -1)
		reason_set(w, "input", "cannot read: %s", strerror(errno));
	else
		reason_set(w, "ceiling", "larger than %zu bytes, the ceiling",
		    max);
	OPENSSL_free(buf);
	return NULL;
}
