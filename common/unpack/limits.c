#include "unpack/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CPU_MORE (24 * 3600) /* seconds, over the ceiling, progress or not */

void
limits_stop(struct limits *l, const char *name, uint64_t v)
{
	if (l->over == NULL) {
		l->over = name;
		l->over_at = v;
	}
}

int
limits_starved(struct limits *l)
{
	if (errno == ENOMEM)
		limits_stop(l, "memory", l->max.memory);
	return l->over != NULL;
}

void
limits_fault(struct limits *l, const char *reason, const char *path,
    const char *text)
{
	if (limits_starved(l))
		return;
	l->events++;
	frame_send(UNPACK_FAULT, reason, path, text, strnlen(text, FRAME_TEXT));
}

void
limits_note(const char *path, const char *text)
{
	frame_send(UNPACK_NOTE, NULL, path, text, strnlen(text, FRAME_TEXT));
}

void
limits_link(const char *path)
{
	static const char text[] = "a link: not followed";

	frame_send(UNPACK_NOTE, "link", path, text, sizeof(text) - 1);
}

void
limits_ceiling(struct limits *l, const char *path, const char *name, uint64_t v)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "the archive passes the ceiling "
	    "%s=%" PRIu64 ": raise it with -L %s=",
	    name, v, name);
	if (l->over != NULL)
		return;
	l->events++;
	frame_send(UNPACK_FAULT, "ceiling", path, text, strlen(text));
}

void
limits_progress(struct limits *l)
{
	uint64_t hard = l->max.cpu + CPU_MORE;
	struct rlimit had;
	struct timespec now = { 0, 0 };
	struct rlimit r;

	l->since = 0;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	/* limits are of whole seconds */
	if (now.tv_sec + 1 == l->second)
		return;
	l->second = now.tv_sec + 1;
	if (getrlimit(RLIMIT_CPU, &had) == 0 && had.rlim_max < hard)
		hard = had.rlim_max;
	/* past the soft limit SIGXCPU comes, past the hard one SIGKILL */
	r.rlim_cur = (uint64_t)now.tv_sec + (now.tv_nsec > 0) + l->max.cpu;
	r.rlim_max = hard;
	if (r.rlim_cur > hard)
		r.rlim_cur = hard;
	(void)setrlimit(RLIMIT_CPU, &r);
}

int
limits_unpacked(struct limits *l, uint64_t n)
{
	if ((l->total += n) > l->max.total)
		limits_stop(l, "total", l->max.total);
	else if ((l->since += n) >= FRAME_STEP) {
		limits_progress(l);
		frame_send(FRAME_PROGRESS, NULL, NULL, NULL, 0);
	}
	return l->over == NULL;
}
