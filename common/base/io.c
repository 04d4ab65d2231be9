#include "base/io.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

uint8_t *
io_slurp(int fd, size_t max, size_t *n, struct reason *w)
{
	size_t cap = 64 * 1024;
	uint8_t *buf, *more;
	ssize_t got;

	*n = 0;
	if ((buf = OPENSSL_malloc(cap)) == NULL)
		goto nomem;
	while ((got = read(fd, buf + *n, cap - *n)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			reason_set(w, "input", "cannot read: %s",
			    strerror(errno));
			goto fail;
		}
		*n += (size_t)got;
		if (*n > max) {
			reason_set(w, "ceiling",
			    "larger than %zu bytes, the "
			    "ceiling",
			    max);
			goto fail;
		}
		if (*n < cap)
			continue;
		if ((more = OPENSSL_clear_realloc(buf, cap, 2 * cap)) == NULL)
			goto nomem;
		buf = more;
		cap *= 2;
	}
	return buf;
nomem:
	reason_set(w, "input", "out of memory");
fail:
	OPENSSL_clear_free(buf, cap);
	return NULL;
}
