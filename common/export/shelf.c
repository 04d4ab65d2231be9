#include "export/shelf.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/table.h"
#include "base/tool.h"
#include "lock/box.h"

#define SHELF_NAME 16 /* bytes of a SHA-256 that tell one from another */

/* Bytes that wait to be written, and that are read at once. */
#define SHELF_TAIL (64 * 1024)
#define SHELF_PAGE (16 * 1024)

/* The head of source, name and data in the file. */
struct shelf_head {
	uint64_t num, member,
	    next; /* next: the place of the next of the chain */
	uint32_t sourcelen, namelen, len;
	uint8_t is_key, own, done;
	uint8_t id[32], sha256[32], folder[16];
};

/* The chain of a public key.  A place is one in the file, from 1. */
struct shelf_chain {
	uint8_t id[SHELF_NAME];
	uint64_t first, last, key; /* key: the copy that has the data */
};

struct shelf_cert {
	uint8_t sha256[SHELF_NAME];
	uint64_t at;
};

struct shelf {
	int fd;
	uint64_t end, num;
	struct box *box;
	struct table chains, certs;
	uint8_t tail[SHELF_TAIL]; /* the last ntail bytes before end */
	size_t ntail;
	uint8_t page[SHELF_PAGE]; /* npage bytes of the file, from page_at */
	uint64_t page_at;
	size_t npage;
	int changed; /* the page is not as it is in the file */
};

struct shelf *
shelf_new(void)
{
	struct shelf *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		heap_nomem();
	s->fd = tool_tmpfile();
	s->box = box_random();
	s->chains = TABLE_OF(struct shelf_chain, SHELF_NAME, UINT32_MAX);
	s->certs = TABLE_OF(struct shelf_cert, SHELF_NAME, UINT32_MAX);
	return s;
}

void
shelf_free(struct shelf *s)
{
	if (s == NULL)
		return;
	(void)close(s->fd);
	box_free(s->box);
	table_clear(&s->chains);
	table_clear(&s->certs);
	free(s);
}

static void
shelf_write(struct shelf *s, const void *p, size_t n, uint64_t at)
{
	if (!io_pwrite_all(s->fd, p, n, (off_t)at))
		msg_die("cannot write the temporary file: %s (make room, or "
			"set TMPDIR)",
		    strerror(errno));
}

/* Adds what a held is, as a whole: it is in the tail, or in the file. */
static void
shelf_append(struct shelf *s, const void *p, size_t n)
{
	if (s->ntail + n > sizeof(s->tail)) {
		shelf_write(s, s->tail, s->ntail, s->end - s->ntail);
		s->ntail = 0;
	}
	if (n > sizeof(s->tail))
		shelf_write(s, p, n, s->end);
	else {
		memcpy(s->tail + s->ntail, p, n);
		s->ntail += n;
	}
	s->end += n;
}

/* Reads n to max bytes from a place.  Returns their number. */
static size_t
shelf_pread(struct shelf *s, void *p, size_t n, size_t max, uint64_t at)
{
	ssize_t got = io_pread_all(s->fd, p, max, (off_t)at);

	if (got == -1 || (size_t)got < n)
		msg_die("cannot read the temporary file: %s",
		    got == -1 ? strerror(errno) : "cut");
	return (size_t)got;
}

/* Sees to it that the page has n bytes, SHELF_PAGE at most, from a place. */
static void
shelf_page(struct shelf *s, size_t n, uint64_t at)
{
	if (at >= s->page_at && at + n <= s->page_at + s->npage)
		return;
	if (s->changed)
		shelf_write(s, s->page, s->npage, s->page_at);
	s->changed = 0;
	s->npage = shelf_pread(s, s->page, n, sizeof(s->page), at);
	s->page_at = at;
}

/* Changes what stands at a place. */
static void
shelf_change(struct shelf *s, const void *p, size_t n, uint64_t at)
{
	const uint64_t written = s->end - s->ntail;

	if (at >= written) {
		memcpy(s->tail + (at - written), p, n);
		return;
	}
	shelf_page(s, n, at);
	memcpy(s->page + (at - s->page_at), p, n);
	s->changed = 1;
}

static void
shelf_read(struct shelf *s, void *p, size_t n, uint64_t at)
{
	const uint64_t written = s->end - s->ntail;

	if (at >= written) {
		memcpy(p, s->tail + (at - written), n);
		return;
	}
	if (n > sizeof(s->page)) {
		(void)shelf_pread(s, p, n, n, at);
		return;
	}
	shelf_page(s, n, at);
	memcpy(p, s->page + (at - s->page_at), n);
}

/* Hashes the folder of a source. */
static void
shelf_folder(struct text source, uint8_t folder[16])
{
	const char *slash = memrchr(source.s, '/', source.n);
	size_t n = slash == NULL ? 0 : (size_t)(slash - source.s);
	uint8_t md[32];

	if (!EVP_Digest(source.s, n, md, NULL, EVP_sha256(), NULL))
		heap_nomem();
	memcpy(folder, md, 16);
}

/* Returns the bytes to write of a held; *n is their number. */
static uint8_t *
shelf_pack(struct shelf *s, const struct held *h, const uint8_t *data,
    size_t len, size_t *n)
{
	struct shelf_head hd = { .num = ++s->num, .member = h->member };
	uint8_t *all, *p;

	hd.sourcelen = (uint32_t)h->source.n;
	hd.namelen = (uint32_t)h->name.n;
	hd.len = (uint32_t)len;
	hd.is_key = (uint8_t)h->is_key;
	hd.own = (uint8_t)h->own;
	hd.done = (uint8_t)h->done;
	memcpy(hd.id, h->id, sizeof(hd.id));
	memcpy(hd.sha256, h->sha256, sizeof(hd.sha256));
	shelf_folder(h->source, hd.folder);
	*n = sizeof(hd) + h->source.n + h->name.n + len;
	if ((all = OPENSSL_malloc(*n + BOX_TAG)) == NULL)
		heap_nomem();
	p = mempcpy(all, &hd, sizeof(hd));
	p = mempcpy(p, h->source.s, h->source.n);
	if (h->name.n > 0)
		p = mempcpy(p, h->name.s, h->name.n);
	if (!h->is_key) {
		memcpy(p, data, len);
		return all;
	}
	*n += BOX_TAG;
	if (!box_close(s->box, hd.num, "", 0, data, len, p))
		heap_nomem();
	return all;
}

void
shelf_put(struct shelf *s, const struct held *h, const uint8_t *data, size_t n)
{
	struct shelf_chain *chain = table_get0(&s->chains, h->id);
	uint64_t here = s->end + 1, *copy = &chain->key;
	uint8_t *all;

	if (!h->is_key)
		copy = &((struct shelf_cert *)table_get0(&s->certs, h->sha256))
			    ->at;
	all = shelf_pack(s, h, data, *copy == 0 ? n : 0, &n);
	if (*copy == 0)
		*copy = here;
	if (chain->first == 0)
		chain->first = here;
	else
		shelf_change(s, &here, sizeof(here),
		    chain->last - 1 + offsetof(struct shelf_head, next));
	chain->last = here;
	shelf_append(s, all, n);
	OPENSSL_free(all);
}

/* Reads the held at a place, without its data. */
static void
shelf_load(struct shelf *s, uint64_t at, struct held *h)
{
	struct shelf_head hd;

	shelf_read(s, &hd, sizeof(hd), at);
	memset(h, 0, sizeof(*h));
	h->is_key = hd.is_key;
	h->own = hd.own;
	h->done = hd.done;
	h->member = hd.member;
	h->len = hd.len;
	h->at = at;
	h->next = hd.next;
	h->num = hd.num;
	memcpy(h->id, hd.id, sizeof(h->id));
	memcpy(h->sha256, hd.sha256, sizeof(h->sha256));
	memcpy(h->folder, hd.folder, sizeof(h->folder));
	h->body = OPENSSL_malloc((size_t)hd.sourcelen + hd.namelen + 1);
	if (h->body == NULL)
		heap_nomem();
	shelf_read(s, h->body, (size_t)hd.sourcelen + hd.namelen,
	    at + sizeof(hd));
	h->source = (struct text){ (char *)h->body, hd.sourcelen };
	h->name = (struct text){ (char *)h->body + hd.sourcelen, hd.namelen };
}

void
held_free(struct held *h)
{
	OPENSSL_free(h->body);
	h->body = NULL;
}

int
shelf_came(struct shelf *s, const uint8_t sha256[32], struct held *out)
{
	const struct shelf_cert *c = table_find0(&s->certs, sha256);

	if (c == NULL)
		return 0;
	shelf_load(s, c->at - 1, out);
	return 1;
}

int
shelf_has_key(struct shelf *s, const uint8_t id[32])
{
	const struct shelf_chain *chain = table_find0(&s->chains, id);

	return chain != NULL && chain->key != 0;
}

void
shelf_update(struct shelf *s, const struct held *h)
{
	uint8_t state[2] = { (uint8_t)h->own, (uint8_t)h->done };

	shelf_change(s, state, sizeof(state),
	    h->at + offsetof(struct shelf_head, own));
}

int
shelf_chains(struct shelf *s, size_t *at, struct held *h)
{
	const struct shelf_chain *all = s->chains.v;

	if (*at == s->chains.n)
		return 0;
	shelf_load(s, all[(*at)++].first - 1, h);
	return 1;
}

int
shelf_next(struct shelf *s, struct held *h)
{
	uint64_t next = h->next;

	held_free(h);
	if (next == 0)
		return 0;
	shelf_load(s, next - 1, h);
	return 1;
}

/* Returns the place of the data of a held. */
static uint64_t
shelf_data_at(const struct held *h)
{
	return h->at + sizeof(struct shelf_head) + h->source.n + h->name.n;
}

int
shelf_each(struct shelf *s, uint64_t *at, struct held *h)
{
	if (*at == s->end)
		return 0;
	shelf_load(s, *at, h);
	*at = shelf_data_at(h) + h->len + (h->is_key ? BOX_TAG : 0);
	return 1;
}

struct cert *
shelf_cert(struct shelf *s, const struct held *what)
{
	struct cert *c = NULL;
	struct reason w;
	struct held h;
	uint8_t *der;

	if (!shelf_came(s, what->sha256, &h))
		return NULL;
	if ((der = OPENSSL_malloc(h.len)) == NULL)
		heap_nomem();
	shelf_read(s, der, h.len, shelf_data_at(&h));
	if (!cert_new(&c, der, h.len, &w))
		msg_die("the temporary file was altered: run again");
	OPENSSL_free(der);
	held_free(&h);
	return c;
}

uint8_t *
shelf_key1(struct shelf *s, const struct held *what, size_t *n)
{
	const struct shelf_chain *chain = table_find0(&s->chains, what->id);
	uint8_t *sealed, *p8;
	struct held h;

	shelf_load(s, chain->key - 1, &h);
	*n = h.len;
	sealed = OPENSSL_malloc(h.len + BOX_TAG);
	p8 = OPENSSL_secure_malloc(h.len);
	if (sealed == NULL || p8 == NULL)
		heap_nomem();
	shelf_read(s, sealed, h.len + BOX_TAG, shelf_data_at(&h));
	if (!box_open(s->box, h.num, "", 0, sealed, h.len + BOX_TAG, p8))
		msg_die("the temporary file was altered: run again");
	OPENSSL_free(sealed);
	held_free(&h);
	return p8;
}
