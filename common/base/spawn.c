#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"

#define PIPE (1024 * 1024) /* bytes: what any user may have */

/* Runs the process: in, out and kept become what spawn.h says. */
static void __attribute__((noreturn))
live(int in, int out, int kept, void (*run)(void *), void *ctx)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)signal(SIGUSR1, SIG_IGN); /* how far it is the caller tells */
	/* a copy, since the places below may be taken by the pipes */
	if ((kept != -1 && (kept = dup(kept)) == -1) ||
	    dup2(in, SPAWN_IN) == -1 || dup2(out, SPAWN_OUT) == -1 ||
	    (kept != -1 && dup2(kept, SPAWN_KEPT) == -1))
		_exit(3);
	(void)syscall(SYS_close_range, SPAWN_KEPT + (kept != -1), ~0U, 0);
	run(ctx);
	_exit(0);
}

static void
close_both(int fd[2])
{
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* Makes both pipes.  Returns 1, or 0 with errno. */
static int
pipes(int to[2], int from[2])
{
	if (pipe2(to, O_CLOEXEC) == -1)
		return 0;
	if (pipe2(from, O_CLOEXEC) == 0)
		return 1;
	close_both(to);
	return 0;
}

/* Sets up the caller's side, with or without (pid -1) a process. */
static int
started(struct spawn *s, pid_t pid, int to[2], int from[2])
{
	s->pid = pid == -1 ? 0 : pid;
	if (pid == -1) {
		close_both(to);
		close_both(from);
		return 0;
	}
	(void)close(to[0]);
	(void)close(from[1]);
	/* each side works on while the other does something else */
	(void)fcntl(to[1], F_SETPIPE_SZ, PIPE);
	(void)fcntl(from[0], F_SETPIPE_SZ, PIPE);
	(void)fcntl(to[1], F_SETFL, O_NONBLOCK);
	s->to = to[1];
	s->from = from[0];
	return 1;
}

int
spawn_start(struct spawn *s, int kept, void (*run)(void *), void *ctx)
{
	int to[2], from[2];
	pid_t pid;

	if (!pipes(to, from))
		return 0;
	if ((pid = fork()) == 0)
		live(to[0], from[1], kept, run, ctx);
	return started(s, pid, to, from);
}

/* What spawn_from() sends: the pipe ends of another process. */
union ends {
	char space[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr align;
};

/* Sends or receives the two ends over a socket.  Returns 1, or 0 on failure. */
static int
hand(int fd, int ends[2], int take)
{
	union ends u;
	char byte = 0;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = u.space,
		.msg_controllen = sizeof(u.space) };
	struct cmsghdr *c;
	ssize_t n;

	memset(&u, 0, sizeof(u));
	if (!take) {
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(2 * sizeof(int));
		memcpy(CMSG_DATA(c), ends, 2 * sizeof(int));
	}
	do
		n = take ? recvmsg(fd, &m, MSG_CMSG_CLOEXEC) :
			   sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n != 1 || !take)
		return n == 1;
	if ((c = CMSG_FIRSTHDR(&m)) == NULL ||
	    c->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return 0;
	memcpy(ends, CMSG_DATA(c), 2 * sizeof(int));
	return 1;
}

/* What an origin runs. */
struct origin {
	void (*run)(void *);
	void *ctx;
};

/* Runs an origin, whose input and output are both the socket. */
static void
found(void *ctx)
{
	const struct origin *o = ctx;
	int ends[2];
	pid_t pid;

	heap_forked();
	while (hand(SPAWN_IN, ends, 1)) {
		/* fork(2), but that it is the caller's child */
		pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0,
		    0);
		if (pid == 0)
			live(ends[0], ends[1], -1, o->run, o->ctx);
		close_both(ends);
		if (!io_write_all(SPAWN_OUT, &pid, sizeof(pid)))
			break;
	}
}

int
spawn_origin(struct spawn_origin *s, void (*run)(void *), void *ctx)
{
	struct origin o = { run, ctx };
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return 0;
	if ((s->pid = fork()) == 0)
		live(fd[1], fd[1], -1, found, &o);
	(void)close(fd[1]);
	s->fd = fd[0];
	if (s->pid != -1)
		return 1;
	s->pid = 0;
	(void)close(fd[0]);
	return 0;
}

int
spawn_from(const struct spawn_origin *o, struct spawn *s)
{
	int to[2], from[2], ends[2];
	pid_t pid = -1;

	if (!pipes(to, from))
		return 0;
	ends[0] = to[0];
	ends[1] = from[1];
	if (!hand(o->fd, ends, 0) ||
	    io_read_all(o->fd, &pid, sizeof(pid)) != sizeof(pid))
		pid = -1;
	return started(s, pid, to, from);
}

void
spawn_origin_end(struct spawn_origin *s)
{
	if (s->pid == 0)
		return;
	(void)close(s->fd);
	(void)waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

int
spawn_end(struct spawn *s)
{
	int status = 0;

	if (s->pid == 0)
		return 0;
	(void)close(s->to);
	(void)close(s->from);
	(void)waitpid(s->pid, &status, 0);
	s->pid = 0;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int
spawn_kill(struct spawn *s)
{
	if (s->pid != 0)
		(void)kill(s->pid, SIGKILL);
	return spawn_end(s);
}
