#include "base/reason.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/text.h"

static void set(struct reason *w, const char *reason, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
set(struct reason *w, const char *reason, const char *fmt, va_list ap)
{
	char raw[sizeof(w->detail)];

	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	w->reason = reason;
	text_vis(w->detail, sizeof(w->detail), raw, strlen(raw));
}

void
reason_clear(void)
{
	unsigned long e;

	/* of the secure heap: others do not come back, see base/heap.h */
	while ((e = ERR_get_error()) != 0)
		if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
			heap_nomem();
}

int
reason_set(struct reason *w, const char *reason, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(w, reason, fmt, ap);
	va_end(ap);
	reason_clear();
	return 0;
}

int
reason_ssl(struct reason *w, const char *reason, const char *fmt, ...)
{
	unsigned long e = ERR_peek_last_error();
	const char *s;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	set(w, reason, fmt, ap);
	va_end(ap);
	/* "cms lib" says where, the first of them why */
	if (ERR_COMMON_ERROR(e))
		e = ERR_peek_error();
	s = e == 0 ? NULL : ERR_reason_error_string(e);
	n = strlen(w->detail);
	if (s != NULL)
		(void)snprintf(w->detail + n, sizeof(w->detail) - n, ": %s", s);
	reason_clear();
	return 0;
}
