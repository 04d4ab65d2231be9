#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE (1024 * 1024) /* bytes: what any user may have */

/* The life of the process: in, out and kept become what spawn.h says. */
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

int
spawn_start(struct spawn *s, int kept, void (*run)(void *), void *ctx)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) == -1)
		return 0;
	if (pipe2(from, O_CLOEXEC) == -1) {
		close_both(to);
		return 0;
	}
	if ((s->pid = fork()) == -1) {
		s->pid = 0;
		close_both(to);
		close_both(from);
		return 0;
	}
	if (s->pid == 0)
		live(to[0], from[1], kept, run, ctx);
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
