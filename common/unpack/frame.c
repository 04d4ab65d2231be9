#include "unpack/frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"

#define NO_MORE UINT32_MAX /* in place of the length of a password */

int
frame_write(int fd, struct iovec *v, int n)
{
	ssize_t k;

	while (n > 0) {
		if ((k = writev(fd, v, n)) == -1 && errno == EINTR)
			continue;
		if (k == -1)
			return 0;
		for (; n > 0 && (size_t)k >= v->iov_len; v++, n--)
			k -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + k;
			v->iov_len -= (size_t)k;
		}
	}
	return 1;
}

int
frame_read(int fd, void *p, size_t n)
{
	char *s = p;
	ssize_t k;

	while (n > 0) {
		if ((k = read(fd, s, n)) == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return (int)k;
		s += k;
		n -= (size_t)k;
	}
	return 1;
}

void
frame_send(uint32_t event, const char *reason, const char *path,
    const void *data, size_t len)
{
	struct frame f;
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
	if (!frame_write(FRAME_OUT, v, 3))
		_exit(1);
}

int
frame_ask(const char *path, uint64_t i, char *pass)
{
	uint32_t n;

	frame_send(FRAME_ASK, NULL, path, NULL, (size_t)i);
	if (frame_read(FRAME_PASSWORD, &n, sizeof(n)) != 1)
		_exit(0);
	if (n > SECRET_MAX)
		return -1;
	if (frame_read(FRAME_PASSWORD, pass, n) != 1)
		_exit(0);
	pass[n] = '\0';
	return n > 0;
}

int
frame_answer(int fd, const char *pass)
{
	uint32_t n = pass == NULL ? NO_MORE : (uint32_t)strlen(pass);
	struct iovec v[2] = { { &n, sizeof(n) },
		{ (char *)(uintptr_t)pass, pass == NULL ? 0 : n } };

	if (pass != NULL && n > SECRET_MAX)
		v[1].iov_len = n = 0;
	return frame_write(fd, v, 2);
}
