/* The map of kms-export -m. */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/pathmap.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static int fd = -1;
	char path[64];
	struct pathmap m;
	struct reason w;

	if (fd == -1)
		fd = memfd_create("map", 0);
	fuzz_must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n &&
		fchmod(fd, 0600) == 0,
	    "a memory file");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!pathmap_load(&m, path, &w))
		return 0;
	(void)pathmap_find0(&m, "First/jane/1999.p12");
	pathmap_free(&m);
	return 0;
}
