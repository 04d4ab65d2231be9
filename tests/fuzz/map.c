/* The map of kms-export -m. */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "map.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static int fd = -1;
	char path[64];
	struct map m;
	struct why w;

	if (fd == -1)
		fd = memfd_create("map", 0);
	fuzz_must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n &&
		fchmod(fd, 0600) == 0,
	    "a memory file");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!map_load(&m, path, &w))
		return 0;
	(void)map_find0(&m, "First/jane/1999.p12");
	map_free(&m);
	return 0;
}
