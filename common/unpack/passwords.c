#include "unpack/passwords.h"

const char *
passwords_next(struct archive *a, void *ctx)
{
	struct passwords *p = ctx;
	uint64_t i = 0;
	int r = 0;

	(void)a;
	limits_progress(p->limits); /* as many as there are passwords */
	if (!p->own) {
		p->own = 1;
		r = frame_ask(p->path, 0, p->pass);
	}
	while (r == 0) {
		i = p->used + 1;
		r = frame_ask(p->path, i, p->pass);
		p->used += r != -1;
	}
	if (r != 1)
		return NULL;
	p->tried = p->given = 1;
	p->last = i;
	return p->pass;
}

void
passwords_entry(struct passwords *p)
{
	p->own = 0;
	if (p->again)
		p->used = 0;
	p->again = 0;
}

void
passwords_others(struct passwords *p)
{
	if (!p->again) {
		p->own = 0;
		p->used = 0;
	}
	p->again = 1;
	p->given = 0;
}

void
passwords_repeat(struct passwords *p)
{
	p->own = p->last > 0;
	p->used = p->last > 0 ? p->last - 1 : 0;
	p->again = 1;
}
