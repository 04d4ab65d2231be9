#include "ese/ese.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
ese_read(const struct ese *e, uint64_t at, uint8_t *p, size_t n)
{
	ssize_t k;

	if (at > e->size || n > e->size - at)
		return 0;
	if (e->mem != NULL) {
		memcpy(p, e->mem + at, n);
		return 1;
	}
	for (; n > 0; p += k, at += (size_t)k, n -= (size_t)k) {
		k = pread(e->fd, p, n, e->start + (off_t)at);
		if (k == -1 && errno == EINTR)
			k = 0;
		else if (k <= 0)
			return 0;
	}
	return 1;
}

int
ese_spend(struct ese *e, uint64_t n, struct reason *w)
{
	if (n > e->give)
		return reason_set(w, "ceiling",
		    "its values give more than the file can hold");
	e->give -= n;
	return 1;
}

void
ese_fault(const struct ese *e, const char *table, const char *reason,
    const char *fmt, ...)
{
	struct reason w;
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reason_set(&w, reason, "%s", text);
	e->fault(e->ctx, table, &w);
}
