#include "record/read.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"
#include "base/tool.h"

#define BUF_SIZE (2 * REC_LINE_MAX) /* holds a whole line, and more */

struct rec_in {
	int fd; /* -1: the bytes come from mem */
	const uint8_t *mem;
	size_t left;
	char *buf; /* secure: plain streams carry keys */
	size_t pos, end;
	int err; /* errno of a read that failed: no other follows */
	unsigned long long lineno;
};

struct rec_in *
rec_in_new(int fd)
{
	struct rec_in *in;

	if ((in = calloc(1, sizeof(*in))) == NULL)
		return NULL;
	in->fd = fd;
	if ((in->buf = OPENSSL_secure_malloc(BUF_SIZE)) == NULL) {
		free(in);
		return NULL;
	}
	return in;
}

struct rec_in *
rec_in_mem(const uint8_t *p, size_t n)
{
	struct rec_in *in = rec_in_new(-1);

	if (in != NULL) {
		in->mem = p;
		in->left = n;
	}
	return in;
}

void
rec_in_free(struct rec_in *in)
{
	if (in == NULL)
		return;
	OPENSSL_secure_clear_free(in->buf, BUF_SIZE);
	free(in);
}

/* Wipes the lines that were read, and moves the rest to the front. */
static void
forget(struct rec_in *in)
{
	size_t left = in->end - in->pos;

	if (in->pos == 0)
		return;
	memmove(in->buf, in->buf + in->pos, left);
	OPENSSL_cleanse(in->buf + left, in->end - left);
	in->end = left;
	in->pos = 0;
}

/* Reads more behind what is there.  Returns 1, 0 at the end, -1 with *w. */
static int
fill(struct rec_in *in, struct reason *w)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };
	ssize_t n = -1;

	forget(in);
	if (in->fd != -1 && poll(&p, 1, 0) == 0)
		tool_wait();
	if (in->fd == -1) {
		n = (ssize_t)(in->left < BUF_SIZE - in->end ?
			in->left :
			BUF_SIZE - in->end);
		if (n > 0)
			memcpy(in->buf + in->end, in->mem, (size_t)n);
		in->mem += n;
		in->left -= (size_t)n;
	} else if (in->err == 0)
		n = io_read(in->fd, in->buf + in->end, BUF_SIZE - in->end);
	if (n == -1) {
		if (in->err == 0)
			in->err = errno;
		reason_set(w, "input", "cannot read: %s", strerror(in->err));
		return -1;
	}
	in->end += (size_t)n;
	return n > 0;
}

static int
label_ok(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(i > 0 &&
			    ((s[i] >= '0' && s[i] <= '9') || s[i] == '_'))))
			return 0;
	return n > 0;
}

/* Returns the length of a label without the ending of its base64 twin. */
static size_t
stem(const struct rec_field *f)
{
	if (f->llen > 4 && memcmp(f->label + f->llen - 4, "_b64", 4) == 0)
		return f->llen - 4;
	return f->llen;
}

/* Checks escapes and characters of a value.  Returns 1, or 0 with *w. */
static int
value_ok(const struct rec_field *f, struct reason *w)
{
	const char *p = f->val, *end = f->val + f->vlen;
	size_t bad;

	bad = text_span(f->val, f->vlen);
	if (bad < f->vlen)
		return reason_set(w, "record", "%.*s: byte %zu is %s",
		    (int)f->llen, f->label, bad + 1,
		    text_utf8(f->val, f->vlen) ?
			"a control or format character" :
			"not UTF-8");
	while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		if (p + 1 == end || p[1] == '\0' ||
		    strchr("tnr\\", p[1]) == NULL)
			return reason_set(w, "record",
			    "%.*s: unknown escape after \\", (int)f->llen,
			    f->label);
		p += 2;
	}
	return 1;
}

static int
split(struct rec *r, struct reason *w)
{
	const char *p = r->line, *end = r->line + r->len, *tab, *colon;
	struct rec_field *f;
	size_t i;

	r->nfields = 0;
	if (r->len == 0)
		return reason_set(w, "record", "empty line");
	if (memchr(p, '\r', r->len) != NULL)
		return reason_set(w, "record", "carriage return: write \\r");
	if (memchr(p, '\0', r->len) != NULL)
		return reason_set(w, "record", "NUL byte");
	for (; p <= end; p = tab + 1) {
		if ((tab = memchr(p, '\t', (size_t)(end - p))) == NULL)
			tab = end;
		colon = memchr(p, ':', (size_t)(tab - p));
		if (colon == NULL || !label_ok(p, (size_t)(colon - p)))
			return reason_set(w, "record",
			    "field %zu is not label:value", r->nfields + 1);
		if (r->nfields == REC_FIELDS_MAX)
			return reason_set(w, "record", "more than %d fields",
			    REC_FIELDS_MAX);
		f = &r->field[r->nfields];
		f->label = p;
		f->llen = (size_t)(colon - p);
		f->val = colon + 1;
		f->vlen = (size_t)(tab - f->val);
		for (i = 0; i < r->nfields; i++)
			if (stem(&r->field[i]) == stem(f) &&
			    memcmp(r->field[i].label, p, stem(f)) == 0)
				return reason_set(w, "record",
				    "%.*s appears twice", (int)stem(f), p);
		if (!value_ok(f, w))
			return 0;
		r->nfields++;
	}
	f = &r->field[0];
	if (f->llen != 3 || memcmp(f->label, "rec", 3) != 0 ||
	    !label_ok(f->val, f->vlen))
		return reason_set(w, "record", "does not start with rec:TYPE");
	return 1;
}

int
rec_in_read(struct rec_in *in, struct rec *r, struct reason *w)
{
	char *nl;
	int rc;

	r->lineno = in->lineno + 1;
	for (;;) {
		nl = memchr(in->buf + in->pos, '\n', in->end - in->pos);
		r->len = nl == NULL ? in->end - in->pos :
				      (size_t)(nl - (in->buf + in->pos));
		if (r->len > REC_LINE_MAX) {
			reason_set(w, "record", "longer than %d bytes",
			    REC_LINE_MAX);
			return -1;
		}
		if (nl != NULL)
			break;
		if ((rc = fill(in, w)) == -1)
			return -1;
		if (rc == 0 && in->end > in->pos) {
			reason_set(w, "record",
			    "no newline at the end: the stream was cut");
			return -1;
		}
		if (rc == 0)
			return 0;
	}
	r->line = in->buf + in->pos;
	in->pos += r->len + 1;
	in->lineno++;
	return split(r, w) ? 1 : -1;
}

int
rec_in_is_rec(struct rec_in *in)
{
	struct reason w;

	while (in->end - in->pos < 4 && fill(in, &w) == 1)
		continue;
	return in->end - in->pos >= 4 &&
	    memcmp(in->buf + in->pos, "rec:", 4) == 0;
}

uint8_t *
rec_in_rest(struct rec_in *in, size_t max, size_t *n, struct reason *w)
{
	uint8_t *all = NULL, *more;
	int rc;

	*n = 0;
	do {
		more = OPENSSL_realloc(all, *n + in->end - in->pos + 1);
		if (more == NULL || *n + in->end - in->pos > max) {
			reason_set(w, "input",
			    "larger than %zu bytes, the "
			    "ceiling",
			    max);
			OPENSSL_clear_free(more == NULL ? all : more, *n);
			return NULL;
		}
		all = more;
		memcpy(all + *n, in->buf + in->pos, in->end - in->pos);
		*n += in->end - in->pos;
		in->pos = in->end;
	} while ((rc = fill(in, w)) == 1);
	if (rc == 0)
		return all;
	OPENSSL_clear_free(all, *n);
	return NULL;
}

int
rec_in_ready(struct rec_in *in, int ms)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };
	int64_t end = io_now() + ms, left;
	struct reason w;

	/* half a line is not enough: the reader would block in it */
	while (memchr(in->buf + in->pos, '\n', in->end - in->pos) == NULL) {
		if (in->end - in->pos > REC_LINE_MAX)
			return 1;
		left = end - io_now();
		if (io_poll(&p, 1, left < 0 ? 0 : (int)left) == 0)
			return 0;
		if (fill(in, &w) != 1)
			return 1; /* the end, or a failure: reading tells */
	}
	return 1;
}
