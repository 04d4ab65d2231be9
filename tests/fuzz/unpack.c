/* What the archive reader sends: it may be in the hands of the archive. */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "unpack/unpack.h"

#define NOBODY 0x3ffffff0 /* a process that cannot be */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct unpack w;
	enum unpack_event ev;
	int events = 0, members = 0;

	memset(&w, 0, sizeof(w));
	w.limits = unpack_defaults;
	w.limits.member = 64 * 1024;
	w.limits.members = 3;
	w.child.pid = NOBODY;
	w.started = 1;
	w.child.to = open("/dev/null", O_WRONLY | O_CLOEXEC);
	w.child.from = memfd_create("frames", MFD_CLOEXEC);
	fuzz_must(w.child.from != -1 &&
		write(w.child.from, p, n) == (ssize_t)n &&
		lseek(w.child.from, 0, SEEK_SET) == 0,
	    "a memory file");
	while ((ev = unpack_next(&w)) != UNPACK_END) {
		events++;
		members += ev == UNPACK_MEMBER || ev == UNPACK_BIG;
		fuzz_must((ev != UNPACK_FAULT && ev != UNPACK_NOTE) ||
			w.why.reason != NULL,
		    "a fault and a note say why");
	}
	fuzz_must((uint64_t)members <= w.limits.members,
	    "no more members than the ceiling");
	fuzz_must((size_t)events <= n + 1, "no event out of nothing");
	w.child.pid = 0;
	unpack_stop(&w);
	return 0;
}
