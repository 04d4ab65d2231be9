/* Archives, as the process reads them that holds no key. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "unpack/child.h"
#include "unpack/unpack.h"

/* Puts the descriptor where the child looks for it. */
static void
put(int fd, int at)
{
	fuzz_must(fd != -1 && dup2(fd, at) == at, "a descriptor");
	if (fd != at)
		(void)close(fd);
}

/* The answers of the parent: a password, and that there are no more. */
static void
put_passwords(void)
{
	static uint8_t no_more[256 * 1024];
	static const char one[] = "\6\0\0\0secret";
	int fd = memfd_create("passwords", MFD_CLOEXEC);

	memset(no_more, 0xff, sizeof(no_more));
	fuzz_must(write(fd, one, sizeof(one) - 1) == sizeof(one) - 1 &&
		write(fd, no_more, sizeof(no_more)) == sizeof(no_more),
	    "a memory file");
	put(fd, FRAME_PASSWORD);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct limits l;
	static int started;
	int fd;

	if (!started) {
		put_passwords();
		put(open("/dev/null", O_WRONLY), FRAME_OUT);
		started = 1;
	}
	(void)lseek(FRAME_PASSWORD, 0, SEEK_SET);
	fd = memfd_create("archive", MFD_CLOEXEC);
	fuzz_must(write(fd, p, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0,
	    "a memory file");
	put(fd, FRAME_ARCHIVE);
	memset(&l, 0, sizeof(l));
	l.max = unpack_defaults;
	l.max.member = 64 * 1024;
	l.max.total = 1024 * 1024;
	l.max.pieces = 1;
	errno = 0;
	child_read(&l);
	fuzz_must(l.members <= l.max.members + 1, "no more than the ceiling");
	return 0;
}
