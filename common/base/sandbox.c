#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif
#ifdef HAVE_SECCOMP
#include <seccomp.h>
#include <sys/ioctl.h>
#endif

#include "base/msg.h"

static pid_t mortal; /* 0: nobody */

void
sandbox_may_kill(pid_t pid)
{
	mortal = pid;
}

#ifdef LANDLOCK_ACCESS_FS_EXECUTE

/* What SQLite and ca-init do in the directory of an archive. */
#define DATABASE \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | 1ULL << 14)

/* landlock(7): every right of ABI 1, and those of ABI 2 and 3 if present. */
static unsigned long long
rights(long abi)
{
	unsigned long long all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		all |= 1ULL << 13; /* LANDLOCK_ACCESS_FS_REFER */
	if (abi >= 3)
		all |= 1ULL << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE */
	if (abi >= 5)
		all |= 1ULL << 15; /* LANDLOCK_ACCESS_FS_IOCTL_DEV */
	return all;
}

static int
no_files(const char *dir)
{
	struct { /* landlock_ruleset_attr of ABI 6 */
		uint64_t fs, net, scoped;
	} attr = { 0, 0, 0 };
	struct landlock_path_beneath_attr rule;
	long abi, fd;
	int rc;

	memset(&rule, 0, sizeof(rule));
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return -1;
	attr.fs = rights(abi);
	/* abstract sockets, and signals to whom it did not start afterwards */
	if (abi >= 6)
		attr.scoped = mortal == 0 ? 1 << 0 | 1 << 1 : 1 << 0;
	fd = syscall(SYS_landlock_create_ruleset, &attr,
	    abi >= 6 ? sizeof(attr) : sizeof(attr.fs), 0);
	if (fd == -1)
		return -1;
	rc = 0;
	if (dir != NULL) {
		rule.allowed_access = attr.fs & DATABASE;
		rule.parent_fd = open(dir, O_PATH | O_CLOEXEC);
		if (rule.parent_fd == -1 && errno != ENOENT &&
		    errno != ENOTDIR && errno != EACCES)
			msg_die("cannot open %s: %s", dir, strerror(errno));
		/* where there is no such directory, nothing is lost */
		if (rule.parent_fd != -1) {
			rc = (int)syscall(SYS_landlock_add_rule, fd,
			    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
			(void)close(rule.parent_fd);
		}
	}
	if (rc == 0)
		rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close((int)fd);
	return rc;
}

#else

static int
no_files(const char *dir)
{
	(void)dir;
	errno = ENOSYS;
	return -1;
}

#endif

#ifdef HAVE_SECCOMP

/* Too new for some headers; the same number on every machine. */
#define NR_MOUNT_SETATTR  442
#define NR_FCHMODAT2	  452
#define NR_SETXATTRAT	  463
#define NR_REMOVEXATTRAT  466
#define NR_OPEN_TREE_ATTR 467

#define LOW_WORD SCMP_CMP_MASKED_EQ, 0xffffffff
#define COUNT(v) (sizeof(v) / sizeof((v)[0]))

/* A call with a condition on one argument. */
struct rule {
	int nr;
	struct scmp_arg_cmp cmp;
};

/* Sets the action for calls. */
static int
answer(scmp_filter_ctx ctx, uint32_t action, const int *nr, size_t n,
    const struct rule *rule, size_t nrules)
{
	int rc = 0;

	for (; rc == 0 && n > 0; nr++, n--)
		rc = seccomp_rule_add(ctx, action, *nr, 0);
	for (; rc == 0 && nrules > 0; rule++, nrules--)
		rc = seccomp_rule_add(ctx, action, rule->nr, 1, rule->cmp);
	return rc;
}

/* Calls that no tool makes and that landlock does not deny. */
static int
not_these(scmp_filter_ctx ctx)
{
	static const int never[] = {
#ifndef SANITIZE /* its leak checker traces the process */
		SCMP_SYS(ptrace),
#endif
		/* programs and connections */
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(socket),
		SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
		SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4),
		/* other processes */
		SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
		SCMP_SYS(process_madvise), SCMP_SYS(pidfd_open),
		SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal),
		SCMP_SYS(kcmp), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo),
		SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(shmget), SCMP_SYS(shmat),
		SCMP_SYS(msgget), SCMP_SYS(semget), SCMP_SYS(mq_open),
		/* files by handle, and the attributes of files */
		SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
		SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmodat),
		NR_FCHMODAT2, SCMP_SYS(chown), SCMP_SYS(lchown),
		SCMP_SYS(fchownat), SCMP_SYS(setxattr), SCMP_SYS(lsetxattr),
		SCMP_SYS(fsetxattr), SCMP_SYS(removexattr),
		SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr), NR_SETXATTRAT,
		NR_REMOVEXATTRAT, SCMP_SYS(utime), SCMP_SYS(utimes),
		SCMP_SYS(futimesat), SCMP_SYS(utimensat),
		/* the system */
		SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount),
		SCMP_SYS(open_tree), NR_OPEN_TREE_ATTR, NR_MOUNT_SETATTR,
		SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
		SCMP_SYS(fspick), SCMP_SYS(chroot), SCMP_SYS(pivot_root),
		SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(bpf),
		SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
		SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
		SCMP_SYS(init_module), SCMP_SYS(finit_module),
		SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
		SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
		SCMP_SYS(swapoff), SCMP_SYS(sethostname),
		SCMP_SYS(setdomainname), SCMP_SYS(settimeofday),
		SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime),
		SCMP_SYS(adjtimex), SCMP_SYS(acct), SCMP_SYS(syslog),
		SCMP_SYS(quotactl),
		/* a way around this list */
		SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
		SCMP_SYS(io_uring_register)
	};
	/* nobody has a number so large */
	const scmp_datum_t child = mortal == 0 ? INT_MAX : (scmp_datum_t)mortal;
	const struct rule with[] = {
		{ SCMP_SYS(kill), SCMP_A0(SCMP_CMP_NE, child, 0) },
		{ SCMP_SYS(tgkill), /* abort(3) */
		    SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0) },
		{ SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_NE, 0, 0) },
		/* input to a terminal as if it were typed */
		{ SCMP_SYS(ioctl), SCMP_A1(LOW_WORD, TIOCSTI) },
		{ SCMP_SYS(ioctl), SCMP_A1(LOW_WORD, TIOCLINUX) },
		/* signals from the kernel to somebody else */
		{ SCMP_SYS(fcntl), SCMP_A1(LOW_WORD, F_SETOWN) },
		{ SCMP_SYS(fcntl), SCMP_A1(LOW_WORD, F_SETOWN_EX) },
		{ SCMP_SYS(fcntl), SCMP_A1(LOW_WORD, F_SETSIG) },
	};

	return answer(ctx, SCMP_ACT_ERRNO(EPERM), never, COUNT(never), with,
	    COUNT(with));
}

/* All calls needed to read an open archive. */
static int
only_these(scmp_filter_ctx ctx)
{
	static const int some[] = { /* what is open, and a memory file */
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev),
		SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat),
		SCMP_SYS(newfstatat), SCMP_SYS(close), SCMP_SYS(memfd_create),
		/* memory */
		SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap),
		SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
		SCMP_SYS(futex), SCMP_SYS(getrandom),
		/* its time, its death */
		SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigaction),
		SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid),
		SCMP_SYS(exit_group)
	};
	const struct rule with[] = {
		{ SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0, 0) },
		{ SCMP_SYS(tgkill), /* abort(3) */
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0) },
	};

	return answer(ctx, SCMP_ACT_ALLOW, some, COUNT(some), with,
	    COUNT(with));
}

static int
no_calls(int reader)
{
#ifdef SANITIZE /* its run-time makes many others */
	reader = 0;
#endif
	scmp_filter_ctx ctx = seccomp_init(
	    reader ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW);
	int rc;

	if (ctx == NULL)
		return -1;
	rc = reader ? only_these(ctx) : not_these(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -rc;
	return rc;
}

#else

static int
no_calls(int reader)
{
	(void)reader;
	errno = ENOSYS;
	return -1;
}

#endif

static void
enter(const char *dir, int reader)
{
#ifdef SANITIZE /* make asan: its run-time must open files at the end */
	dir = "/";
#endif
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (no_files(dir) != 0)
		msg_verbose("notice: no landlock here: %s", strerror(errno));
	if (no_calls(reader) != 0)
		msg_verbose("notice: no seccomp filter here: %s",
		    strerror(errno));
}

void
sandbox_enter(const char *dir)
{
	enter(dir, 0);
}

void
sandbox_reader(void)
{
	enter(NULL, 1);
}
