#include "export/shelf.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/tool.h"
#include "lock/box.h"

/* What stands in the file in front of source and data. */
struct head {
	uint64_t num, member;
	uint32_t sourcelen, len;
	uint8_t is_key, state;
	uint8_t id[32], cert[32];
};

struct slot {
	uint64_t id; /* first bytes of the identity */
	uint64_t at; /* place in the file + 1; 0: free */
};

struct shelf {
	int fd;
	uint64_t end, num;
	struct box *seal;
	struct slot *slot;
	size_t size, used; /* size is a power of two */
	uint8_t
	    *body; /* of the last held given out: source and what is sealed, */
	uint8_t *data; /* and opened */
	size_t len;
};

struct shelf *
shelf_new(void)
{
	struct shelf *h;

	if ((h = calloc(1, sizeof(*h))) == NULL)
		heap_nomem();
	h->fd = tool_tmpfile();
	h->size = 1024;
	h->seal = box_random();
	if ((h->slot = calloc(h->size, sizeof(*h->slot))) == NULL)
		heap_nomem();
	return h;
}

void
shelf_forget(struct shelf *h)
{
	OPENSSL_free(h->body);
	OPENSSL_secure_clear_free(h->data, h->len + 1);
	h->body = h->data = NULL;
	h->len = 0;
}

void
shelf_free(struct shelf *h)
{
	if (h == NULL)
		return;
	shelf_forget(h);
	(void)close(h->fd);
	box_free(h->seal);
	free(h->slot);
	free(h);
}

static void
put(struct shelf *h, const void *p, size_t n, uint64_t at)
{
	if (!io_pwrite_all(h->fd, p, n, (off_t)at))
		msg_die("cannot write the temporary file: %s (make room, or "
			"set TMPDIR)",
		    strerror(errno));
}

static void
get(struct shelf *h, void *p, size_t n, uint64_t at)
{
	ssize_t k = io_pread_all(h->fd, p, n, (off_t)at);

	if (k != (ssize_t)n)
		msg_die("cannot read the temporary file: %s",
		    k == -1 ? strerror(errno) : "cut");
}

static uint64_t
prefix(const uint8_t id[32])
{
	uint64_t v;

	memcpy(&v, id, sizeof(v));
	return v;
}

/* Keys and certificates of one public key are apart in the table. */
static uint64_t
name_of(const uint8_t id[32], int is_key)
{
	return is_key ? ~prefix(id) : prefix(id);
}

static void
insert(struct shelf *h, uint64_t id, uint64_t at)
{
	size_t i = (size_t)id & (h->size - 1);

	while (h->slot[i].at != 0)
		i = (i + 1) & (h->size - 1);
	h->slot[i].id = id;
	h->slot[i].at = at;
}

static void
grow(struct shelf *h)
{
	struct slot *old = h->slot;
	size_t i, n = h->size;

	h->size *= 2;
	if ((h->slot = calloc(h->size, sizeof(*h->slot))) == NULL)
		heap_nomem();
	for (i = 0; i < n; i++)
		if (old[i].at != 0)
			insert(h, old[i].id, old[i].at);
	free(old);
}

static void
append(struct shelf *h, struct head *hd, struct text source,
    const uint8_t *data)
{
	size_t n = sizeof(*hd) + source.n + hd->len;
	uint8_t *all = OPENSSL_malloc(n), *p;

	if (all == NULL)
		heap_nomem();
	h->used += 2;
	if (4 * h->used > 3 * h->size)
		grow(h);
	hd->sourcelen = (uint32_t)source.n;
	hd->num = ++h->num;
	/* a certificate is found by its own hash and, while it waits, by key */
	if (hd->is_key || hd->state != HELD_DONE)
		insert(h, name_of(hd->id, hd->is_key), h->end + 1);
	if (!hd->is_key)
		insert(h, prefix(hd->cert), h->end + 1);
	p = mempcpy(all, hd, sizeof(*hd));
	p = mempcpy(p, source.s, source.n);
	memcpy(p, data, hd->len);
	put(h, all, n, h->end);
	OPENSSL_free(all);
	h->end += n;
}

void
shelf_key(struct shelf *h, const uint8_t id[32], const uint8_t *p8, size_t n,
    enum held_state state, struct text source, uint64_t member)
{
	struct head hd;
	uint8_t *sealed;

	memset(&hd, 0, sizeof(hd));
	hd.member = member;
	hd.is_key = 1;
	hd.state = (uint8_t)state;
	hd.len = (uint32_t)(n + BOX_TAG);
	memcpy(hd.id, id, sizeof(hd.id));
	if ((sealed = OPENSSL_malloc(n + BOX_TAG)) == NULL ||
	    !box_close(h->seal, h->num + 1, "", 0, p8, n, sealed))
		heap_nomem();
	append(h, &hd, source, sealed);
	OPENSSL_free(sealed);
}

void
shelf_cert(struct shelf *h, const struct cert *c, enum held_state state,
    struct text source, uint64_t member)
{
	struct head hd;

	memset(&hd, 0, sizeof(hd));
	hd.member = member;
	hd.state = (uint8_t)state;
	hd.len = state == HELD_DONE ? 0 : (uint32_t)c->len;
	memcpy(hd.id, c->id, sizeof(hd.id));
	memcpy(hd.cert, c->sha256, sizeof(hd.cert));
	append(h, &hd, source, c->der);
}

/* Reads what stands at a place, without its data if light. */
static void
load(struct shelf *h, uint64_t at, struct held *out, int light)
{
	const uint8_t *sealed;
	struct head hd;

	shelf_forget(h);
	get(h, &hd, sizeof(hd), at);
	out->is_key = hd.is_key;
	out->state = (enum held_state)hd.state;
	out->member = hd.member;
	memcpy(out->id, hd.id, sizeof(out->id));
	memcpy(out->cert, hd.cert, sizeof(out->cert));
	out->at = at;
	out->len = hd.len - (hd.is_key ? BOX_TAG : 0);
	out->source.n = hd.sourcelen;
	out->data = NULL;
	if (light)
		return;
	h->len = out->len;
	h->data = OPENSSL_secure_malloc(h->len + 1);
	h->body = OPENSSL_malloc((size_t)hd.sourcelen + hd.len + 1);
	if (h->data == NULL || h->body == NULL)
		heap_nomem();
	get(h, h->body, (size_t)hd.sourcelen + hd.len, at + sizeof(hd));
	sealed = h->body + hd.sourcelen;
	if (!hd.is_key)
		memcpy(h->data, sealed, hd.len);
	else if (!box_open(h->seal, hd.num, "", 0, sealed, hd.len, h->data))
		msg_die("the temporary file was altered: run again");
	out->source.s = (char *)h->body;
	out->data = h->data;
}

int
shelf_find(struct shelf *h, const uint8_t id[32], int is_key, size_t *pos,
    struct held *out)
{
	size_t i;

	if (*pos == 0)
		*pos = 1 + ((size_t)name_of(id, is_key) & (h->size - 1));
	for (;;) {
		i = *pos - 1;
		if (h->slot[i].at == 0)
			return 0;
		*pos = 1 + ((i + 1) & (h->size - 1));
		if (h->slot[i].id != name_of(id, is_key))
			continue;
		load(h, h->slot[i].at - 1, out, 1);
		if (out->is_key == is_key &&
		    memcmp(out->id, id, sizeof(out->id)) == 0) {
			load(h, h->slot[i].at - 1, out, 0);
			return 1;
		}
	}
}

int
shelf_came(struct shelf *h, const struct cert *c, struct held *out)
{
	size_t i = (size_t)prefix(c->sha256) & (h->size - 1);

	for (; h->slot[i].at != 0; i = (i + 1) & (h->size - 1)) {
		if (h->slot[i].id != prefix(c->sha256))
			continue;
		load(h, h->slot[i].at - 1, out, 1);
		if (!out->is_key && out->state != HELD_LEFT &&
		    memcmp(out->cert, c->sha256, sizeof(out->cert)) == 0)
			return 1;
	}
	return 0;
}

int
shelf_each(struct shelf *h, uint64_t *at, struct held *out)
{
	if (*at == h->end)
		return 0;
	load(h, *at, out, 0);
	*at += sizeof(struct head) + out->source.n + out->len +
	    (out->is_key ? BOX_TAG : 0);
	return 1;
}

void
shelf_done(struct shelf *h, const struct held *what)
{
	struct head hd;

	get(h, &hd, sizeof(hd), what->at);
	hd.state = HELD_DONE;
	put(h, &hd, sizeof(hd), what->at);
}
