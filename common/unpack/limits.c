#include "unpack/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "unpack/child.h"

#define PROGRESS (64ULL << 20) /* bytes unpacked */
#define CPU_MORE (24 * 3600) /* seconds, over the ceiling, progress or not */

void
limits_send(int fd, struct iovec *v, int n)
{
	ssize_t k;

	while (n > 0) {
		if ((k = writev(fd, v, n)) == -1) {
			if (errno == EINTR)
				continue;
			_exit(1);
		}
		for (; n > 0 && (size_t)k >= v->iov_len; v++, n--)
			k -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + k;
			v->iov_len -= (size_t)k;
		}
	}
}

void
limits_report(struct limits *c, uint32_t event, const char *reason,
    const char *path, const void *data, size_t len)
{
	struct frame f;
	struct iovec v[3] = { { &f, sizeof(f) }, { (char *)(uintptr_t)path, 0 },
		{ (char *)(uintptr_t)data, data == NULL ? 0 : len } };

	memset(&f, 0, sizeof(f));
	f.event = event;
	f.pathlen = (uint32_t)(path == NULL ? 0 :
					      strnlen(path, PATH_BYTES_MAX));
	f.len = len;
	if (reason != NULL)
		(void)snprintf(f.reason, sizeof(f.reason), "%s", reason);
	v[1].iov_len = f.pathlen;
	limits_send(c->out, v, 3);
}

void
limits_stop(struct limits *c, const char *name, uint64_t v)
{
	if (c->over == NULL) {
		c->over = name;
		c->over_at = v;
	}
}

int
limits_starved(struct limits *c)
{
	if (errno == ENOMEM)
		limits_stop(c, "memory", c->limits.memory);
	return c->over != NULL;
}

void
limits_fault(struct limits *c, const char *reason, const char *path,
    const char *text)
{
	if (limits_starved(c))
		return;
	c->events++;
	limits_report(c, UNPACK_FAULT, reason, path, text,
	    strnlen(text, CHILD_TEXT));
}

void
limits_note(struct limits *c, const char *path, const char *text)
{
	limits_report(c, UNPACK_NOTE, NULL, path, text,
	    strnlen(text, CHILD_TEXT));
}

void
limits_link(struct limits *c, const char *path)
{
	static const char text[] = "a link: not followed";

	limits_report(c, UNPACK_NOTE, "link", path, text, sizeof(text) - 1);
}

void
limits_ceiling(struct limits *c, const char *path, const char *name, uint64_t v)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "the archive passes the ceiling "
	    "%s=%" PRIu64 ": raise it with -L %s=",
	    name, v, name);
	if (c->over != NULL)
		return;
	c->events++;
	limits_report(c, UNPACK_FAULT, "ceiling", path, text, strlen(text));
}

void
limits_progress(struct limits *c)
{
	uint64_t hard = c->limits.cpu + CPU_MORE;
	struct rlimit had;
	struct timespec now = { 0, 0 };
	struct rlimit r;

	c->since = 0;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	/* limits are of whole seconds */
	if (now.tv_sec + 1 == c->second)
		return;
	c->second = now.tv_sec + 1;
	if (getrlimit(RLIMIT_CPU, &had) == 0 && had.rlim_max < hard)
		hard = had.rlim_max;
	/* past the soft limit SIGXCPU comes, past the hard one SIGKILL */
	r.rlim_cur = (uint64_t)now.tv_sec + (now.tv_nsec > 0) + c->limits.cpu;
	r.rlim_max = hard;
	if (r.rlim_cur > hard)
		r.rlim_cur = hard;
	(void)setrlimit(RLIMIT_CPU, &r);
}

int
limits_unpacked(struct limits *c, uint64_t n)
{
	if ((c->total += n) > c->limits.total)
		limits_stop(c, "total", c->limits.total);
	else if ((c->since += n) >= PROGRESS)
		limits_progress(c);
	return c->over == NULL;
}

void
limits_hear(struct limits *c, void *p, size_t n)
{
	char *s = p;
	ssize_t k;

	while (n > 0) {
		if ((k = read(c->go, s, n)) == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			_exit(0);
		s += k;
		n -= (size_t)k;
	}
}
