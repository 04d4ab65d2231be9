#ifndef BASE_IO_H
#define BASE_IO_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/reason.h"

/* Reading and writing descriptors, in spite of signals. */

/* Do as read(2), writev(2) and poll(2), but never fail with EINTR. */
ssize_t io_read(int fd, void *, size_t n);
ssize_t io_writev(int fd, const struct iovec *, int n);
int io_poll(struct pollfd *, nfds_t n, int ms);

/* Returns milliseconds of a clock that nobody sets. */
int64_t io_now(void);

/*
 * Reads n bytes.  Returns how many it got, which is less at the end of the
 * input, or -1 with errno.
 */
ssize_t io_read_all(int fd, void *, size_t n);

/* Reads n bytes at an offset of a file.  Returns what io_read_all() does. */
ssize_t io_pread_all(int fd, void *, size_t n, off_t at);

/* Write n bytes, the second at an offset.  Each returns 1, or 0 with errno. */
int io_write_all(int fd, const void *, size_t n);
int io_pwrite_all(int fd, const void *, size_t n, off_t at);

/* Writes n buffers; changes the array.  Returns 1, or 0 with errno. */
int io_writev_all(int fd, struct iovec *, int n);

/*
 * Drops so many bytes from the front of n buffers; used-up ones become empty.
 */
void io_skip(struct iovec *, int n, size_t bytes);

/*
 * Reads all of fd, at most max bytes, and puts their number in *n.  The caller
 * frees them with OPENSSL_free().  Returns NULL with *w (reason "input" or
 * "ceiling") on failure.
 */
uint8_t *io_slurp(int fd, size_t max, size_t *n, struct reason *w);

#endif
