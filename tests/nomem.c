/*
 * Preloaded by torture.bash: lets an allocation fail.
 *
 *	NOMEM=FILE	24 bytes, "calls failed\n", both counted in decimal
 *	NOMEM_AT=N	the Nth call fails; 0: none
 *	NOMEM_ON=1	so do all after it
 *	NOMEM_CHILD=1	count in the child of a fork only, else in the parent only
 *
 * Counted are malloc, calloc, realloc and OpenSSL's secure heap, from the
 * program's start on: what the loader does before is not.  Nor is libseccomp:
 * seccomp_load() of 2.5.4 loops for ever where some allocations of it fail.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DIGITS 11

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *CRYPTO_secure_malloc(size_t, const char *, int);
void *CRYPTO_secure_zalloc(size_t, const char *, int);

static char *file; /* "00000000000 00000000000\n" */
static unsigned long calls, at;
static int on, want_child;
static char *spared, *spared_end; /* libseccomp */
static void *(*secure_malloc)(size_t, const char *, int);
static void *(*secure_zalloc)(size_t, const char *, int);

/* Adds one to the decimal number that ends at p. */
static void
count(char *p)
{
	for (; *p == '9'; p--)
		*p = '0';
	++*p;
}

static int
fails(const void *caller)
{
	const char *p = caller;

	if (file == NULL || (p >= spared && p < spared_end))
		return 0;
	count(file + DIGITS - 1);
	calls++;
	if (at == 0 || (calls != at && !(on && calls > at)))
		return 0;
	count(file + 2 * DIGITS);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL :
						    __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

void *
CRYPTO_secure_malloc(size_t n, const char *src, int line)
{
	return fails(__builtin_return_address(0)) ? NULL :
						    secure_malloc(n, src, line);
}

void *
CRYPTO_secure_zalloc(size_t n, const char *src, int line)
{
	return fails(__builtin_return_address(0)) ? NULL :
						    secure_zalloc(n, src, line);
}

static char *shared;

static void
forked(void)
{
	calls = 0;
	file = want_child ? shared : NULL;
}

static int
spare(struct dl_phdr_info *o, size_t n, void *ctx)
{
	char *end;
	int i;

	(void)n;
	(void)ctx;
	if (strstr(o->dlpi_name, "libseccomp") == NULL)
		return 0;
	spared = (char *)o->dlpi_addr;
	for (i = 0; i < o->dlpi_phnum; i++) {
		end = spared + o->dlpi_phdr[i].p_vaddr +
		    o->dlpi_phdr[i].p_memsz;
		if (o->dlpi_phdr[i].p_type == PT_LOAD && end > spared_end)
			spared_end = end;
	}
	return 1;
}

__attribute__((constructor)) static void
start(void)
{
	const char *path = getenv("NOMEM"), *s;
	int fd;

	*(void **)&secure_malloc = dlsym(RTLD_NEXT, "CRYPTO_secure_malloc");
	*(void **)&secure_zalloc = dlsym(RTLD_NEXT, "CRYPTO_secure_zalloc");
	if (path == NULL || secure_malloc == NULL || secure_zalloc == NULL)
		return;
	if ((s = getenv("NOMEM_AT")) != NULL)
		at = strtoul(s, NULL, 10);
	(void)dl_iterate_phdr(spare, NULL);
	on = getenv("NOMEM_ON") != NULL;
	want_child = getenv("NOMEM_CHILD") != NULL;
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		_exit(126);
	shared = mmap(NULL, 24, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (shared == MAP_FAILED || pthread_atfork(NULL, NULL, forked) != 0)
		_exit(126);
	memcpy(shared, "00000000000 00000000000\n", 24);
	if (!want_child)
		file = shared;
}
