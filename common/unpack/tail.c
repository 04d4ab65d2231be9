#include "unpack/tail.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file/pem.h"

#define EOCD	  22 /* bytes of the end of a zip's directory, */
#define EOCD64	  (56 + 20) /* of what stands in front of it if it is large, */
#define EOCD_ZERO 18 /* of its own that may all be zeros */
#define EOCD_TAIL (EOCD64 + EOCD + 65535 + EOCD_ZERO) /* with a comment */

/* Reads a number of n bytes, the least significant first. */
static uint64_t
number(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static void
more(struct container *c, const char *where, const char *what, const char *cmd,
    int64_t at, const char *of)
{
	char text[FRAME_TEXT];

	(void)snprintf(text, sizeof(text),
	    "there is more %s the %s, and it is not read: feed in by itself "
	    "what %s%" PRId64 " gives of it%s",
	    where, what, cmd, at, of);
	limits_fault(c->limits, "unsupported", c->base, text);
}

/*
 * Skips padding, and the directory of a zip that cannot seek, up to the next
 * local header (APPNOTE.TXT section 4.3.7), of which *seen bytes were there.
 */
static size_t
pass_by(const uint8_t *p, size_t n, int zip, size_t *seen)
{
	static const char magic[] = "PK\3\4";
	size_t i;

	for (i = 0; i < n && (zip ? *seen < 4 : p[i] == '\0'); i++)
		*seen = p[i] == (uint8_t)magic[*seen] ? *seen + 1 : p[i] == 'P';
	return i;
}

/*
 * Reads on in f.  Leaves the first bytes that are not skipped in l->data, and
 * their place in *at.  Returns their number, or an error of libarchive.
 */
static ssize_t
read_on(struct container *c, struct feed_given *f, int zip, int64_t *at)
{
	const uint8_t *p = f->left;
	size_t len = 0, n = f->nleft, skip, seen = 0;
	const void *buf;
	ssize_t k = 0;

	*at = f->all - (int64_t)(n + f->n);
	do {
		skip = len > 0 ? 0 : pass_by(p, n, zip, &seen);
		*at += (int64_t)skip;
		n -= skip;
		if (n > MAGIC_BYTES - len)
			n = MAGIC_BYTES - len;
		memcpy(c->limits->data + len, p + skip, n);
		len += n;
		if (len == MAGIC_BYTES || (k = container_more(c, f, &buf)) <= 0)
			break;
		p = buf;
		n = (size_t)k;
	} while (limits_unpacked(c->limits, n));
	*at -= zip ? 4 : 0;
	return k < 0 ? k : (ssize_t)len;
}

/*
 * Reads the end of a zip, without padding, into block.  Returns the number of
 * bytes, with their place in *from.
 */
static ssize_t
zip_tail(struct container *c, uint64_t size, uint64_t *from)
{
	ssize_t n, last;

	for (;; size -= (uint64_t)(n - last - EOCD_ZERO)) {
		*from = size > EOCD_TAIL ? size - EOCD_TAIL : 0;
		n = last = pread(c->feed.fd, c->feed.block,
		    (size_t)(size - *from), c->feed.start + (off_t)*from);
		while (last > 0 && c->feed.block[last - 1] == '\0')
			last--;
		if (n - last <= EOCD_ZERO)
			return n;
	}
}

/*
 * Finds where a zip ends, and how much is in front of it, from its directory
 * (APPNOTE.TXT sections 4.3.14 to 4.3.16).  Returns 0 if it has none.
 */
static uint64_t
zip_end(struct container *c, uint64_t size, int64_t *before)
{
	const uint8_t *p = (const uint8_t *)c->feed.block;
	uint64_t from, at, dir;
	ssize_t n = zip_tail(c, size, &from);

	for (n -= EOCD; n >= 0; n--) {
		if (memcmp(p + n, "PK\5\6", 4) != 0)
			continue;
		at = from + (uint64_t)n;
		dir = number(p + n + 12, 4) + number(p + n + 16, 4);
		if (n >= EOCD64 && memcmp(p + n - EOCD64, "PK\6\6", 4) == 0)
			*before = (int64_t)(at - EOCD64 -
			    number(p + n - 12, 8));
		else if (dir <= at)
			*before = (int64_t)((at - dir) & UINT32_MAX);
		else /* it stands in the comment */
			continue;
		return at + EOCD + number(p + n + 20, 2);
	}
	return 0;
}

/* Finds where an archive that can seek ends. */
static int64_t
end_of(struct container *c)
{
	int format = archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;
	int64_t size = lseek(c->feed.fd, 0, SEEK_END) - c->feed.start,
		before = 0;
	uint64_t end;
	uint8_t head[32];

	if (format != ARCHIVE_FORMAT_ZIP && format != ARCHIVE_FORMAT_7ZIP)
		return archive_filter_bytes(c->a, 0);
	/* a program that unpacks itself may be signed behind its end */
	if (pread(c->feed.fd, head, sizeof(head), c->feed.start) !=
		sizeof(head) ||
	    memcmp(head, format == ARCHIVE_FORMAT_ZIP ? "PK\3\4" : "7z\xbc\xaf",
		4) != 0)
		return size;
	if (format == ARCHIVE_FORMAT_7ZIP) /* 7zFormat.txt: SignatureHeader */
		end = 32 + number(head + 12, 8) + number(head + 20, 8);
	else
		end = zip_end(c, (uint64_t)size, &before);
	if (end == 0)
		limits_fault(c->limits, "cut", c->base,
		    "no directory at the end of the zip: it was cut, or other "
		    "data stand behind it: fetch it again");
	if (before > 0)
		more(c, "in front of", "zip", "head -c ", before, "");
	return end == 0 || end > (uint64_t)size ? size : (int64_t)end;
}

/* Returns 1 if the n bytes behind the archive do not belong to it. */
static int
is_other(struct container *c, int format, size_t n)
{
	switch (format) {
	case ARCHIVE_FORMAT_CPIO:
	case ARCHIVE_FORMAT_ZIP:
		return n > 0;
	case ARCHIVE_FORMAT_7ZIP:
		return n > 0 && c->filter == NULL;
	case ARCHIVE_FORMAT_CAB:
	case ARCHIVE_FORMAT_LHA:
	case ARCHIVE_FORMAT_RAR: /* there may be signatures */
		return magic_of(c->limits->data, n) != NULL;
	default: /* read to its end, or it cannot be told */
		return 0;
	}
}

/* Looks behind the compressed data, all of which was read. */
static void
tail_filter(struct container *c)
{
	int last = archive_filter_count(c->filter) - 2;
	int64_t at;

	if (c->text && pem_seen(&c->pem, NULL, 0))
		limits_fault(c->limits, "unsupported", c->base,
		    "PEM beside uuencoded data is not read: put it into a "
		    "file of its own");
	feed_left(&c->packed, c->filter);
	if (read_on(c, &c->packed, 0, &at) <= 0)
		return;
	/* it was taken for the head of one more frame */
	if (archive_filter_code(c->filter, last) == ARCHIVE_FILTER_LZ4)
		at -= 4;
	more(c, "behind the end of", archive_filter_name(c->filter, last),
	    "tail -c +", at + 1, "");
}

void
tail_end(struct container *c)
{
	struct feed_given *f = c->filter == NULL ? &c->packed : &c->unpacked;
	int format = archive_format(c->a) & ARCHIVE_FORMAT_BASE_MASK;
	const void *buf;
	int64_t at;
	ssize_t n;

	if (c->filter == NULL) {
		f->all = end_of(c);
		(void)lseek(c->feed.fd, c->feed.start + f->all, SEEK_SET);
	} else
		feed_left(f, c->a);
	n = read_on(c, f, format == ARCHIVE_FORMAT_ZIP && c->filter != NULL,
	    &at);
	if (n > 0 && is_other(c, format, (size_t)n))
		more(c, "behind the end of", "archive", "tail -c +", at + 1,
		    container_packed(c) ? ", unpacked" : "");
	while (n > 0 && container_packed(c) &&
	    (n = container_more(c, f, &buf)) > 0 &&
	    limits_unpacked(c->limits, (size_t)n))
		continue;
	if (n < 0)
		container_failed(c, c->base);
	else if (n == 0 && container_packed(c))
		tail_filter(c);
	/* it may hold keys, and the next member may be hostile */
	OPENSSL_cleanse(c->limits->data, MAGIC_BYTES);
}
