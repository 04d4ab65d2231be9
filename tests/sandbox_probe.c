/*
 * sandbox_probe [DIR | -r]: shuts itself in as a tool does, with the directory of
 * an archive or without, or as the reader of an archive (-r), and tries what none
 * may and what it must.  A line for each: what, how it went before and how it goes
 * after; for tests.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/sandbox.h"

/* With arguments that do no harm: who is let in is told that they are wrong. */
static const struct {
	const char *name;
	long nr, second; /* its second argument, if not -1 */
} calls[] = {
	{ "ptrace", SYS_ptrace },
	{ "tiocsti", SYS_ioctl, TIOCSTI },
	{ "tioclinux", SYS_ioctl, TIOCLINUX },
	{ "f_setown", SYS_fcntl, F_SETOWN },
	{ "f_setown_ex", SYS_fcntl, F_SETOWN_EX },
	{ "f_setsig", SYS_fcntl, F_SETSIG },
	{ "prlimit64", SYS_prlimit64 },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "reboot", SYS_reboot },
	{ "swapon", SYS_swapon },
	{ "swapoff", SYS_swapoff },
	{ "sethostname", SYS_sethostname },
	{ "setdomainname", SYS_setdomainname },
	{ "settimeofday", SYS_settimeofday },
	{ "clock_settime", SYS_clock_settime },
	{ "clock_adjtime", SYS_clock_adjtime },
	{ "adjtimex", SYS_adjtimex },
	{ "acct", SYS_acct },
	{ "syslog", SYS_syslog },
	{ "quotactl", SYS_quotactl },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "process_vm_writev", SYS_process_vm_writev },
	{ "process_madvise", SYS_process_madvise },
	{ "pidfd_open", SYS_pidfd_open },
	{ "pidfd_getfd", SYS_pidfd_getfd },
	{ "kcmp", SYS_kcmp },
	{ "kill", SYS_kill },
	{ "tkill", SYS_tkill },
	{ "tgkill", SYS_tgkill },
	{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo },
	{ "rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo },
	{ "shmget", SYS_shmget },
	{ "shmat", SYS_shmat },
	{ "semget", SYS_semget },
	{ "mq_open", SYS_mq_open },
	{ "truncate", SYS_truncate },
	{ "utimensat", SYS_utimensat },
	/* not in the headers of all; the same numbers everywhere */
	{ "mount_setattr", 442 },
	{ "fchmodat2", 452 },
	{ "setxattrat", 463 },
	{ "removexattrat", 466 },
	{ "open_tree_attr", 467 },
	{ "execve", SYS_execve },
	{ "execveat", SYS_execveat },
	{ "socket", SYS_socket },
	{ "socketpair", SYS_socketpair },
	{ "connect", SYS_connect },
	{ "bind", SYS_bind },
	{ "listen", SYS_listen },
	{ "accept", SYS_accept },
	{ "accept4", SYS_accept4 },
	{ "open_by_handle_at", SYS_open_by_handle_at },
	{ "name_to_handle_at", SYS_name_to_handle_at },
	{ "mount", SYS_mount },
	{ "umount2", SYS_umount2 },
	{ "move_mount", SYS_move_mount },
	{ "open_tree", SYS_open_tree },
	{ "fsopen", SYS_fsopen },
	{ "fsconfig", SYS_fsconfig },
	{ "fsmount", SYS_fsmount },
	{ "fspick", SYS_fspick },
	{ "chroot", SYS_chroot },
	{ "pivot_root", SYS_pivot_root },
	{ "unshare", SYS_unshare },
	{ "setns", SYS_setns },
	{ "bpf", SYS_bpf },
	{ "perf_event_open", SYS_perf_event_open },
	{ "userfaultfd", SYS_userfaultfd },
	{ "keyctl", SYS_keyctl },
	{ "add_key", SYS_add_key },
	{ "request_key", SYS_request_key },
	{ "init_module", SYS_init_module },
	{ "finit_module", SYS_finit_module },
	{ "delete_module", SYS_delete_module },
	{ "kexec_load", SYS_kexec_load },
	{ "kexec_file_load", SYS_kexec_file_load },
	{ "io_uring_setup", SYS_io_uring_setup },
	{ "io_uring_enter", SYS_io_uring_enter },
	{ "io_uring_register", SYS_io_uring_register },
	{ "fchmodat", SYS_fchmodat },
	{ "fchownat", SYS_fchownat },
	{ "setxattr", SYS_setxattr },
	{ "lsetxattr", SYS_lsetxattr },
	{ "fsetxattr", SYS_fsetxattr },
	{ "removexattr", SYS_removexattr },
	{ "fremovexattr", SYS_fremovexattr },
	{ "lremovexattr", SYS_lremovexattr },
#ifdef SYS_chmod
	{ "chmod", SYS_chmod },
	{ "chown", SYS_chown },
	{ "lchown", SYS_lchown },
#endif
};

#define NCALLS (sizeof(calls) / sizeof(calls[0]))

/* What the reader of an archive does not need, and tools do. */
static const struct {
	const char *name;
	long nr;
} reader_calls[] = {
	{ "clone", SYS_clone },
	{ "clone3", SYS_clone3 },
	{ "openat", SYS_openat },
	{ "fchmod", SYS_fchmod },
	{ "fchown", SYS_fchown },
	{ "fcntl", SYS_fcntl },
	{ "ioctl", SYS_ioctl },
	{ "ftruncate", SYS_ftruncate },
	{ "pwrite64", SYS_pwrite64 },
	{ "unlinkat", SYS_unlinkat },
	{ "dup", SYS_dup },
	{ "setpriority", SYS_setpriority },
	{ "sched_setaffinity", SYS_sched_setaffinity },
	{ "sched_setscheduler", SYS_sched_setscheduler },
	{ "wait4", SYS_wait4 },
	{ "setuid", SYS_setuid },
	{ "prctl", SYS_prctl },
	{ "seccomp", SYS_seccomp },
	{ "chdir", SYS_chdir },
};

#define NREADER (sizeof(reader_calls) / sizeof(reader_calls[0]))
#define NFILES	8

static int in = -1;

static const char *
try_call(size_t i)
{
	long nr = i < NCALLS ? calls[i].nr : reader_calls[i - NCALLS].nr;
	long second = i < NCALLS && calls[i].second != 0 ? calls[i].second : -1;

	return syscall(nr, -1L, second, -1L, -1L, -1L, -1L) == -1 ?
	    strerrorname_np(errno) :
	    "done";
}

static const char *
outcome(int fd)
{
	const char *s = fd == -1 ? strerrorname_np(errno) : "done";

	if (fd > 0)
		(void)close(fd);
	return s;
}

/* Files, by what may be done with them. */
static const char *
try_file(int i, const char *dir, char what[32])
{
	static const char *const names[NFILES] = { "open /etc/passwd",
		"open /proc/self/mem", "list /", "create in /tmp",
		"create here", "open here", "list here", "remove here" };
	char tmp[64], here[4096], byte;
	int fd;

	(void)snprintf(what, 32, "%s", names[i]);
	(void)snprintf(tmp, sizeof(tmp), "/tmp/sandbox_probe.%d",
	    (int)getpid());
	(void)snprintf(here, sizeof(here), "%s/probe", dir);
	switch (i) {
	case 0:
		return outcome(open("/etc/passwd", O_RDONLY));
	case 1:
		return outcome(open("/proc/self/mem", O_RDONLY));
	case 2:
		return outcome(open("/", O_RDONLY | O_DIRECTORY));
	case 3:
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd != -1)
			(void)unlink(tmp);
		return outcome(fd);
	case 4:
		return outcome(open(here, O_RDWR | O_CREAT, 0600));
	case 5:
		fd = open(here, O_RDWR | O_TRUNC);
		if (fd != -1 && (write(fd, "x", 1) != 1 || ftruncate(fd, 0)))
			return "half done";
		return outcome(fd);
	case 6:
		return outcome(open(dir, O_RDONLY | O_DIRECTORY));
	default:
		(void)pread(in, &byte, 1, 0);
		return outcome(unlink(here));
	}
}

/* What tools must still be able to do. */
static const char *
try_needs(void)
{
	char buf[16];
	void *p;
	int fd;

	if (pread(in, buf, sizeof(buf), 0) <= 0 || write(2, "", 0) != 0)
		return "no read or write";
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || munmap(p, 4096) != 0)
		return "no memory";
	if ((fd = memfd_create("probe", MFD_CLOEXEC)) == -1 ||
	    write(fd, "x", 1) != 1 || close(fd) != 0)
		return "no memory file";
	return "done";
}

/* A real program and a descriptor of one: neither starts. */
static const char *
try_exec(int exe)
{
	static char *const argv[] = { (char *)(uintptr_t) "true", NULL };
	pid_t pid = fork();
	int status = -1;

	if (pid == -1)
		return strerrorname_np(errno);
	if (pid == 0) {
		(void)execv("/bin/true", argv);
		(void)fexecve(exe, argv, argv + 1);
		_exit(errno);
	}
	(void)waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		return "died";
	return WEXITSTATUS(status) == 0 ? "done" :
					  strerrorname_np(WEXITSTATUS(status));
}

int
main(int argc, char *argv[])
{
	const char *before[NCALLS + NREADER], *file[NFILES], *exec,
	    *dir = argc > 1 ? argv[1] : ".";
	int reader = strcmp(dir, "-r") == 0;
	size_t i, n = NCALLS + (reader ? NREADER : 0);
	char what[32];
	int exe;

	msg_level = 1;
	in = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	exe = open("/bin/true", O_RDONLY | O_CLOEXEC);
	if (reader)
		dir = ".";
	for (i = 0; i < n; i++)
		before[i] = try_call(i);
	for (i = 0; i < NFILES; i++)
		file[i] = try_file((int)i, dir, what);
	exec = try_exec(exe);
	/* of what is tried, the directory must have something */
	(void)try_file(4, dir, what);
	if (reader)
		sandbox_reader();
	else
		sandbox_enter(argc > 1 ? dir : NULL);
	for (i = 0; i < n; i++)
		(void)printf("%s\t%s\t%s\n",
		    i < NCALLS ? calls[i].name : reader_calls[i - NCALLS].name,
		    before[i], try_call(i));
	for (i = 0; i < NFILES; i++) {
		const char *after = try_file((int)i, dir, what);

		(void)printf("%s\t%s\t%s\n", what, file[i], after);
	}
	(void)printf("start a program\t%s\t%s\n", exec, try_exec(exe));
	(void)printf("work\t%s\n", try_needs());
	return 0;
}
