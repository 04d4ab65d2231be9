#include "unpack/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/heap.h"
#include "base/io.h"
#include "ese/catalog.h"
#include "ese/header.h"
#include "ese/values.h"
#include "file/value.h"

#define TABLES 160 /* bytes of text that name them */

struct database {
	struct limits *limits;
	const char *path;
	struct ese *e;
	uint64_t pages; /* that were read when progress was noted */
	uint64_t faults; /* that were sent, or would have been */
	uint64_t unnamed; /* tables that had no room in text */
	char text[TABLES];
	size_t len;
};

/* Returns the path of something in it, which the caller frees. */
static char *
path_in(const struct database *d, const char *where)
{
	char *s;

	if (asprintf(&s, "%s%s%s", d->path, *where == '\0' ? "" : "/", where) ==
	    -1)
		heap_nomem();
	return s;
}

/* Reports a loss, or only counts it above a ceiling. */
static void
lost(void *ctx, const char *where, const struct reason *w)
{
	struct database *d = ctx;
	char *path;

	if (d->faults++ >= d->limits->max.warnings)
		return;
	path = path_in(d, where);
	limits_fault(d->limits, w->reason, path, w->detail);
	free(path);
}

static void
value(void *ctx, const char *source, const uint8_t *p, size_t n)
{
	const struct database *d = ctx;
	char *path;

	if (!value_may(p, n) ||
	    !limits_unpacked(d->limits, n + sizeof(struct frame)))
		return;
	path = path_in(d, source);
	frame_send(UNPACK_VALUE, NULL, path, p, n);
	free(path);
}

/* Notes progress, since pages are read. */
static int
row(void *ctx)
{
	struct database *d = ctx;
	uint64_t n = d->e->pages - d->pages;

	d->pages = d->e->pages;
	return limits_unpacked(d->limits, n * d->e->page_size);
}

/* Adds a table to the text, except those that every database has. */
static void
table(void *ctx, const struct schema_table *t, uint64_t rows)
{
	struct database *d = ctx;
	int n;

	if (strncmp(t->name, "MSys", 4) == 0)
		return;
	n = snprintf(d->text + d->len, TABLES - d->len, "%s%s %" PRIu64,
	    d->len == 0 ? "" : ", ", t->name, rows);
	if (n < 0 || (size_t)n >= TABLES - d->len) {
		d->text[d->len] = '\0';
		d->unnamed++;
	} else
		d->len += (size_t)n;
}

/* Reports what it is, and what was found. */
static void
describe(const struct database *d, int ca)
{
	static const char *const states[] = { "in an unknown state",
		"just created", "dirty shutdown", "clean shutdown",
		"being converted", "force detach" };
	const struct ese *e = d->e;
	char text[FRAME_TEXT], more[64] = "", gone[64] = "";

	if (d->unnamed > 0)
		(void)snprintf(more, sizeof(more), " and %" PRIu64 " more",
		    d->unnamed);
	if (d->faults > d->limits->max.warnings)
		(void)snprintf(gone, sizeof(gone),
		    "; %" PRIu64 " faults more in it",
		    d->faults - d->limits->max.warnings);
	(void)snprintf(text, sizeof(text),
	    "%sESE database (version 0x%x revision 0x%x, %s; page size %u, "
	    "%s): %s; rows of its tables: %s%s%s",
	    ca ? "a Windows CA's " : "", e->version, e->revision,
	    header_engine(e), e->page_size, states[e->state < 6 ? e->state : 0],
	    ca ? "edb-extract writes its archived keys as records" :
		 "how a KMS stores keys is not public: export PFX per user on "
		 "Windows and feed those in",
	    d->len == 0 ? "none" : d->text, more, gone);
	frame_send(UNPACK_DATABASE_END, "unsupported", NULL, text,
	    strlen(text));
}

static void
read_all(struct limits *l, const char *path, struct ese e)
{
	struct database d = { .limits = l, .path = path, .e = &e };
	struct values vs = { .e = &e, .row = row, .table = table, .ctx = &d };
	struct catalog c;
	struct reason w;
	char text[sizeof(w.detail) + 64];
	int ca;

	frame_send(UNPACK_DATABASE, NULL, path, NULL, 0);
	e.fault = lost;
	e.ctx = &d;
	if (!header_read(&e, &w)) {
		(void)snprintf(text, sizeof(text), "ESE database: %s",
		    w.detail);
		frame_send(UNPACK_DATABASE_END, w.reason, NULL, text,
		    strlen(text));
		return;
	}
	if (!header_clean(&e, &w))
		lost(&d, "", &w);
	catalog_read(&c, &e);
	vs.catalog = &c;
	ca = catalog_is_ca(&c);
	vs.found = ca ? NULL : value;
	(void)values_each(&vs);
	catalog_free(&c);
	describe(&d, ca);
}

/*
 * Copies a member above its ceiling, as far as the ceiling of memory allows.
 * Returns a memory file, or -1; *size is 0 if that is not all of it.
 */
static int
spool(struct container *c, size_t len, uint64_t *size)
{
	struct limits *l = c->limits;
	const uint8_t *p = l->data;
	uint64_t all = 0;
	int fd = memfd_create("database", MFD_CLOEXEC);

	*size = 0;
	if (fd == -1)
		return -1;
	do {
		if (!io_write_all(fd, p, len)) {
			limits_stop(l, "memory", l->max.memory);
			return fd;
		}
		if ((all += len) > l->max.memory)
			return fd;
	} while (container_take(c, UNPACK_PIECE_BYTES, &p, &len) == 1);
	*size = all;
	return fd;
}

/* Returns 1 if the member is the whole raw input, and that can seek. */
static int
in_place(const struct container *c, struct stat *st)
{
	return archive_format(c->a) == ARCHIVE_FORMAT_RAW &&
	    c->filter == NULL && c->feed.fd == FRAME_ARCHIVE &&
	    fstat(FRAME_ARCHIVE, st) == 0 && S_ISREG(st->st_mode);
}

int
database_read(struct container *c, size_t len, int *fd)
{
	struct limits *l = c->limits;
	struct ese e = { .fd = FRAME_ARCHIVE };
	struct stat st;

	*fd = -1;
	if (!header_is(l->data, len))
		return 0;
	if (len <= l->max.member) {
		e.mem = l->data;
		e.size = len;
	} else if (in_place(c, &st)) {
		e.start = c->feed.start;
		e.size = (uint64_t)(st.st_size - e.start);
	} else
		e.fd = *fd = spool(c, len, &e.size);
	if (e.size > 0)
		read_all(l, c->path, e);
	return e.size > 0;
}
