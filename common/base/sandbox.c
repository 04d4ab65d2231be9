#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
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

#ifdef LANDLOCK_ACCESS_FS_EXECUTE

/* What SQLite and ca-init do in the directory of an archive. */
#define DATABASE \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_REG | 1ULL << 14)

/* landlock(7): every right of ABI 1, with those of ABI 2 and 3 if there. */
static unsigned long long
rights(long abi)
{
	unsigned long long all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		all |= 1ULL << 13; /* LANDLOCK_ACCESS_FS_REFER */
	if (abi >= 3)
		all |= 1ULL << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE */
	return all;
}

static int
no_files(const char *dir)
{
	struct landlock_ruleset_attr attr;
	struct landlock_path_beneath_attr rule;
	long abi, fd;
	int rc;

	memset(&attr, 0, sizeof(attr));
	memset(&rule, 0, sizeof(rule));
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return -1;
	attr.handled_access_fs = rights(abi);
	fd = syscall(SYS_landlock_create_ruleset, &attr,
	    sizeof(attr.handled_access_fs), 0);
	if (fd == -1)
		return -1;
	rc = 0;
	if (dir != NULL) {
		rule.allowed_access = attr.handled_access_fs & DATABASE;
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

/* Younger than the headers of some; the same number on every machine. */
#define NR_MOUNT_SETATTR  442
#define NR_FCHMODAT2	  452
#define NR_SETXATTRAT	  463
#define NR_REMOVEXATTRAT  466
#define NR_OPEN_TREE_ATTR 467

static pid_t mortal; /* 0: nobody */

void
sandbox_may_kill(pid_t pid)
{
	mortal = pid;
}

#ifdef HAVE_SECCOMP

/* Refuses a call if its argument arg, as cmp says, is what is given. */
static int
no_call_with(scmp_filter_ctx ctx, int nr, struct scmp_arg_cmp cmp)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 1, cmp);
}

/* Signals to others, and input to a terminal as if it were typed. */
static int
some_calls(scmp_filter_ctx ctx)
{
	int rc;

	rc = mortal == 0 ?
	    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 0) :
	    no_call_with(ctx, SCMP_SYS(kill),
		SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)mortal, 0));
	if (rc == 0) /* abort(3) */
		rc = no_call_with(ctx, SCMP_SYS(tgkill),
		    SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));
	if (rc == 0)
		rc = no_call_with(ctx, SCMP_SYS(ioctl),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI));
	if (rc == 0)
		rc = no_call_with(ctx, SCMP_SYS(ioctl),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCLINUX));
	return rc;
}

static int
no_calls(void)
{
	static const int never[] = {
#ifndef SANITIZE /* its leak checker traces the process */
		SCMP_SYS(ptrace),
#endif
		SCMP_SYS(execve),
		SCMP_SYS(execveat),
		SCMP_SYS(socket),
		SCMP_SYS(socketpair),
		SCMP_SYS(connect),
		SCMP_SYS(bind),
		SCMP_SYS(listen),
		SCMP_SYS(accept),
		SCMP_SYS(accept4),
		/* other processes */
		SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev),
		SCMP_SYS(process_madvise),
		SCMP_SYS(pidfd_open),
		SCMP_SYS(pidfd_getfd),
		SCMP_SYS(kcmp),
		SCMP_SYS(tkill),
		SCMP_SYS(rt_sigqueueinfo),
		SCMP_SYS(rt_tgsigqueueinfo),
		SCMP_SYS(shmget),
		SCMP_SYS(shmat),
		SCMP_SYS(msgget),
		SCMP_SYS(semget),
		SCMP_SYS(mq_open),
		/* files past landlock: by handle, and what it leaves open */
		SCMP_SYS(open_by_handle_at),
		SCMP_SYS(name_to_handle_at),
		SCMP_SYS(truncate),
		SCMP_SYS(chmod),
		SCMP_SYS(fchmodat),
		NR_FCHMODAT2,
		SCMP_SYS(chown),
		SCMP_SYS(lchown),
		SCMP_SYS(fchownat),
		SCMP_SYS(setxattr),
		SCMP_SYS(lsetxattr),
		SCMP_SYS(removexattr),
		SCMP_SYS(lremovexattr),
		NR_SETXATTRAT,
		NR_REMOVEXATTRAT,
		SCMP_SYS(utime),
		SCMP_SYS(utimes),
		SCMP_SYS(futimesat),
		SCMP_SYS(utimensat),
		/* the system */
		SCMP_SYS(mount),
		SCMP_SYS(umount2),
		SCMP_SYS(move_mount),
		SCMP_SYS(open_tree),
		NR_OPEN_TREE_ATTR,
		NR_MOUNT_SETATTR,
		SCMP_SYS(fsopen),
		SCMP_SYS(fsconfig),
		SCMP_SYS(fsmount),
		SCMP_SYS(fspick),
		SCMP_SYS(chroot),
		SCMP_SYS(pivot_root),
		SCMP_SYS(unshare),
		SCMP_SYS(setns),
		SCMP_SYS(bpf),
		SCMP_SYS(perf_event_open),
		SCMP_SYS(userfaultfd),
		SCMP_SYS(keyctl),
		SCMP_SYS(add_key),
		SCMP_SYS(request_key),
		SCMP_SYS(init_module),
		SCMP_SYS(finit_module),
		SCMP_SYS(delete_module),
		SCMP_SYS(kexec_load),
		SCMP_SYS(kexec_file_load),
		/* a way around this list */
		SCMP_SYS(io_uring_setup),
		SCMP_SYS(io_uring_enter),
		SCMP_SYS(io_uring_register),
	};
	scmp_filter_ctx ctx;
	size_t i;
	int rc;

	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL)
		return -1;
	rc = 0;
	for (i = 0; rc == 0 && i < sizeof(never) / sizeof(never[0]); i++)
		rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), never[i], 0);
	if (rc == 0)
		rc = some_calls(ctx);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -rc;
	return rc;
}

#else

static int
no_calls(void)
{
	errno = ENOSYS;
	return -1;
}

#endif

void
sandbox_enter(const char *dir)
{
#ifdef SANITIZE /* make asan: its run-time must open files at the end */
	dir = "/";
#endif
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (no_files(dir) != 0)
		msg_verbose("notice: no landlock here: %s", strerror(errno));
	if (no_calls() != 0)
		msg_verbose("notice: no seccomp filter here: %s",
		    strerror(errno));
}
