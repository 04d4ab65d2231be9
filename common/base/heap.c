#include "base/heap.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/msg.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define LSAN
#endif
#endif

#define SECURE_HEAP  (4 * 1024 * 1024)
#define CAP_IPC_LOCK 14 /* <linux/capability.h> */
#define PAGE	     4096 /* the secure heap starts at a multiple of this */
#define STACK	     (64 * 1024) /* bytes: deeper than libraries go */

static char *heap; /* the secure heap */
static int unlocked; /* it may be swapped */
static int quiet; /* see heap_quiet() */

/*
 * Allocates, or exits: libcrypto reports a failed allocation like any other
 * failure, so that a key would be called damaged, or its password wrong.  Its
 * locks may be held here: its own cleanup must not run at exit.
 */
static void *
mem_alloc(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file;
	(void)line;
	if (p == NULL)
		heap_nomem();
	return p;
}

/* Wipes and frees, since libcrypto leaves some keys (i2b_PrivateKey_bio). */
static void
mem_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p != NULL)
		OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

static void *
mem_realloc(void *p, size_t n, const char *file, int line)
{
	size_t old = p == NULL ? 0 : malloc_usable_size(p);
	void *q;

	if (old >= n && p != NULL && n > 0)
		return p;
	q = mem_alloc(n, file, line);
	if (p != NULL) {
		memcpy(q, p, old < n ? old : n);
		mem_free(p, file, line);
	}
	return q;
}

/* Finds the start of the secure heap, and touches only one page of it. */
static void
find_heap(void)
{
	char *some = OPENSSL_secure_malloc(1);

	heap = some - (uintptr_t)some % PAGE;
	while (CRYPTO_secure_allocated(heap - PAGE))
		heap -= PAGE;
	OPENSSL_secure_free(some);
}

/*
 * Locks all memory, present and future, unless a ceiling on locked memory would
 * make an allocation fail.  Returns 1 if it is locked.
 */
static int
lock_all(void)
{
	/* capget(2): version 3, this process; effective comes first */
	uint32_t head[2] = { 0x20080522, 0 }, caps[6] = { 0 };
	struct rlimit most;

	if ((getrlimit(RLIMIT_MEMLOCK, &most) == -1 ||
		most.rlim_cur != RLIM_INFINITY) &&
	    (syscall(SYS_capget, head, caps) == -1 ||
		(caps[0] & 1U << CAP_IPC_LOCK) == 0))
		return 0;
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

void
heap_start(void)
{
	int rc;

	if (!CRYPTO_set_mem_functions(mem_alloc, mem_realloc, mem_free))
		msg_die("cannot start libcrypto");
	/* 2: the memory could not be locked (RLIMIT_MEMLOCK) */
	if ((rc = CRYPTO_secure_malloc_init(SECURE_HEAP, 32)) == 0)
		msg_die("cannot get %d bytes of secure memory", SECURE_HEAP);
	unlocked = rc == 2;
	find_heap();
#ifndef SANITIZE /* it maps terabytes */
	(void)lock_all();
#endif
#ifdef LSAN /* what it points to is no leak */
	__lsan_register_root_region(heap, SECURE_HEAP);
#endif
}

int
heap_unlocked(void)
{
	return unlocked;
}

void
heap_forked(void)
{
	/* a fork is not locked; nor need pages be that nobody has touched */
	if (lock_all())
		return;
	if (!unlocked)
		(void)mlock2(heap, SECURE_HEAP, MLOCK_ONFAULT);
}

void
heap_quiet(void)
{
	quiet = 1;
}

void
heap_check(void)
{
	if (CRYPTO_secure_used() > SECURE_HEAP / 4 * 3)
		msg_die("the %d bytes of secure memory are full: give fewer "
			"passwords",
		    SECURE_HEAP);
}

void
heap_nomem(void)
{
	if (quiet)
		_exit(1);
	msg_die("out of memory, or of the %d bytes of secure memory",
	    SECURE_HEAP);
}

void __attribute__((noinline)) heap_scrub(void)
{
	static void *(*const volatile copy)(void *, const void *,
	    size_t) = memcpy;
	char behind[STACK];
	size_t n;

	OPENSSL_cleanse(behind, sizeof(behind));
	/* vector registers hold what was copied last, and may be saved */
	for (n = 16; n <= sizeof(behind) / 4; n *= 2)
		(void)copy(behind + sizeof(behind) / 2, behind, n);
}
