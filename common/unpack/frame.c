#include "unpack/frame.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/secret.h"

#define NO_MORE UINT32_MAX /* in place of the length of a password */

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
	if (!io_writev_all(FRAME_OUT, v, 3))
		_exit(1);
}

int
frame_ask(const char *path, uint64_t i, char *pass)
{
	uint32_t n;

	frame_send(FRAME_ASK, NULL, path, NULL, (size_t)i);
	if (io_read_all(FRAME_PASSWORD, &n, sizeof(n)) != sizeof(n))
		_exit(0);
	if (n > SECRET_MAX)
		return -1;
	if (io_read_all(FRAME_PASSWORD, pass, n) != (ssize_t)n)
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
	return io_writev_all(fd, v, 2);
}
