#include "file/carve.h"

#include <openssl/crypto.h>
#include <string.h>

#include "base/heap.h"
#include "file/p12.h"
#include "key/tlv.h"
#include "lock/budget.h"

#define HEAD	 32 /* bytes that tell whether a place is worth a look */
#define SEQUENCE 0x30

/* Returns 1 for a TBSCertificate that fits, with a version or serial number. */
static int
carve_like_cert(const uint8_t *p, size_t n, size_t len)
{
	size_t hdr, tbs = tlv_sequence(p, n, &hdr);

	if (tbs == 0 || tbs >= len || n < hdr + 5)
		return 0;
	p += hdr;
	return p[0] == 0x02 ||
	    (memcmp(p, "\xa0\x03\x02\x01", 4) == 0 && p[4] <= 2);
}

/* Returns 1 for a PrivateKeyInfo, version 0 or 1, whose algorithm fits. */
static int
carve_like_key(const uint8_t *p, size_t n, size_t len)
{
	size_t hdr, alg;

	return n >= 3 && p[0] == 0x02 && p[1] == 0x01 && p[2] <= 1 &&
	    (alg = tlv_sequence(p + 3, n - 3, &hdr)) != 0 && 3 + alg < len &&
	    n > 3 + hdr && p[3 + hdr] == 0x06;
}

/*
 * Returns the size of what may begin at p, or 0.  The n bytes are at least
 * HEAD, unless the input ends there.
 */
static size_t
carve_size_of(const uint8_t *p, size_t n)
{
	size_t hdr, size = tlv_sequence(p, n, &hdr);

	if (p12_is(p, n) && size <= CARVE_P12_MAX)
		return size;
	if (size == 0 || size > FINDING_BYTES_MAX)
		return 0;
	return carve_like_cert(p + hdr, n - hdr, size - hdr) ||
		carve_like_key(p + hdr, n - hdr, size - hdr) ?
	    size :
	    0;
}

int
carve_may(const uint8_t *p, size_t n)
{
	const uint8_t *q = p, *end = p + n;
	size_t size;

	while (end - q >= HEAD &&
	    (q = memchr(q, SEQUENCE, (size_t)(end - q))) != NULL) {
		size = carve_size_of(q, (size_t)(end - q));
		if (size > 0 && size <= (size_t)(end - q))
			return 1;
		q++;
	}
	return 0;
}

/* Takes what is at p.  Returns 1 if it is what it looks like. */
static int
carve_take(struct carve *c, const uint8_t *p, size_t n, uint64_t at)
{
	struct findings l = { NULL, 0 };
	struct reason w;

	if (p12_is(p, n)) {
		/* what is damaged may be none, and be there by chance */
		budget_start();
		if (!p12_read(p, n, c->secrets, NULL, &l, &w) &&
		    strcmp(w.reason, "damaged") != 0)
			findings_add_fault(&l, &w);
	} else if (!findings_try_cert(&l, p, n, &w))
		(void)findings_try_key(&l, p, n, &w);
	reason_clear();
	if (l.n == 0) {
		/* what is large costs more */
		c->tries += 1 + (unsigned)(n / FINDING_BYTES_MAX);
		return 0;
	}
	c->found(c->ctx, at, &l);
	findings_free(&l);
	return 1;
}

/*
 * Searches the n bytes at p.  Returns how many are done with: the rest may be
 * the start of something, unless nothing follows.
 */
static size_t
carve_search(struct carve *c, const uint8_t *p, size_t n, int last)
{
	size_t i = 0, size;

	while (c->tries <= CARVE_TRIES_MAX) {
		while (i < n && p[i] != SEQUENCE)
			i++;
		if (i == n || (n - i < HEAD && !last))
			return i;
		/* most places end here: short, and no version follows */
		if (n - i < 3 || (p[i + 1] < 0x80 && p[i + 2] != 0x02)) {
			i++;
			continue;
		}
		size = carve_size_of(p + i, n - i);
		if (size > n - i && !last)
			return i;
		if (size == 0 || size > n - i ||
		    !carve_take(c, p + i, size, c->at + i))
			size = 1;
		i += size;
	}
	return n;
}

/* Makes room for n bytes in the buffer, and keeps its contents. */
static void
carve_room(struct carve *c, size_t n)
{
	uint8_t *buf;

	if (n <= c->cap)
		return;
	if ((buf = OPENSSL_malloc(2 * n)) == NULL)
		heap_nomem();
	if (c->len > 0)
		memcpy(buf, c->buf, c->len);
	OPENSSL_clear_free(c->buf, c->cap);
	c->buf = buf;
	c->cap = 2 * n;
}

void
carve_feed(struct carve *c, const uint8_t *p, size_t n)
{
	size_t done;

	if (c->len > 0) {
		carve_room(c, c->len + n);
		memcpy(c->buf + c->len, p, n);
		p = c->buf;
		n += c->len;
	}
	done = carve_search(c, p, n, 0);
	c->at += done;
	carve_room(c, n - done);
	if (n > done)
		memmove(c->buf, p + done, n - done);
	c->len = n - done;
}

int
carve_end(struct carve *c)
{
	if (c->len > 0)
		(void)carve_search(c, c->buf, c->len, 1);
	OPENSSL_clear_free(c->buf, c->cap);
	c->buf = NULL;
	c->len = c->cap = 0;
	return c->tries <= CARVE_TRIES_MAX;
}
