#include "ese/header.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fuzzing.h"
#include "base/heap.h"
#include "ese/bytes.h"
#include "ese/page.h"

#define MAGIC	     0x89abcdef
#define VERSION	     0x620
#define DIRTY	     2 /* states */
#define CLEAN	     3
#define PAGE_DEFAULT 4096 /* where the header says 0 */
/* The bytes that a file may give: one that gives more repeats a value. */
#define GIVE_TIMES 16 /* the file */
#define GIVE_MORE  (64ULL << 20) /* bytes */

int
header_is(const uint8_t *p, size_t n)
{
	return n >= 8 && le32(p + 4) == MAGIC;
}

/*
 * Reads the header, or its copy, at this place into p, which has room for the
 * largest page.  Returns 1 if its checksum is right.
 */
static int
take(const struct ese *e, uint64_t at, uint8_t *p)
{
	uint32_t size;

	if (!ese_read(e, at, p, HEADER_BYTES) || !header_is(p, HEADER_BYTES))
		return 0;
	size = le32(p + 236) == 0 ? PAGE_DEFAULT : le32(p + 236);
	return page_size_ok(size) && ese_read(e, at, p, size) &&
	    (FUZZING || page_xor(p + 4, size - 4) == le32(p));
}

/* Finds a header that is whole: the copy is in the page behind it. */
static int
find_header(struct ese *e, uint8_t *p)
{
	uint32_t size;

	if (take(e, 0, p))
		return 1;
	for (size = PAGE_SMALLEST; size <= PAGE_LARGEST; size *= 2)
		if (take(e, size, p)) {
			ese_fault(e, "", "damaged",
			    "the header is damaged: its copy is read");
			return 1;
		}
	return 0;
}

/* Refuses a database of another engine.  Returns 0 with *w. */
static int
refuse(uint32_t version, uint32_t file_type, struct reason *w)
{
	if (file_type == 1)
		return reason_set(w, "unsupported",
		    "the streaming file of an Exchange store: it has no "
		    "tables: read the .edb beside it");
	return reason_set(w, "unsupported",
	    "of format version 0x%x: the engine of 1996 and later, which is "
	    "read here, writes 0x%x",
	    version, VERSION);
}

/*
 * Reports a file that is shorter than the space it owns, whose last page is in
 * the last node of page 2.
 */
static void
check_size(struct ese *e)
{
	struct page pg = { .data = NULL };
	struct page_node v;
	struct reason w;
	uint32_t last = 0;
	size_t i;

	if (page_load(e, &pg, 2, &w) && pg.flags & PAGE_LEAF &&
	    pg.flags & PAGE_SPACE && pg.nodes > 0 &&
	    page_node(e, &pg, pg.nodes, &v) && v.nsuffix >= 4)
		for (i = 0; i < 4; i++)
			last = last << 8 | v.suffix[v.nsuffix - 4 + i];
	if (last > e->last)
		ese_fault(e, "", "cut",
		    "%u of its %u pages are missing: fetch it again",
		    last - e->last, last);
	free(pg.data);
}

int
header_read(struct ese *e, struct reason *w)
{
	uint8_t *p = malloc(PAGE_LARGEST);
	struct stat st;
	int rc = 0;

	if (p == NULL)
		heap_nomem();
	if (e->mem == NULL && e->size == 0) {
		e->start = lseek(e->fd, 0, SEEK_CUR);
		if (e->start != -1 && fstat(e->fd, &st) == 0 &&
		    st.st_size > e->start)
			e->size = (uint64_t)(st.st_size - e->start);
	}
	if (find_header(e, p)) {
		e->version = le32(p + 8);
		e->state = le32(p + 52);
		e->revision = le32(p + 232);
		e->page_size = le32(p + 236);
		e->log_first = le32(p + 296);
		e->log_last = le32(p + 300);
		rc = (e->version == VERSION && le32(p + 12) != 1) ||
		    refuse(e->version, le32(p + 12), w);
	} else if (!ese_read(e, 0, p, 8) ||
	    (header_is(p, 8) && !ese_read(e, 0, p, HEADER_BYTES)))
		reason_set(w, "cut", "cut in its header: fetch it again");
	else if (!header_is(p, 8))
		reason_set(w, "format", "not an ESE database");
	else if (le32(p + 8) != VERSION)
		refuse(le32(p + 8), 0, w);
	else
		reason_set(w, "damaged",
		    "the header and its copy are damaged: fetch it again");
	free(p);
	if (!rc)
		return 0;
	if (e->page_size == 0)
		e->page_size = PAGE_DEFAULT;
	/* two pages are headers; numbers have 32 bits */
	e->last = e->size / e->page_size > UINT32_MAX - 2 ?
	    UINT32_MAX - 2 :
	    (uint32_t)(e->size / e->page_size) - 2;
	if (e->size < 2 * (uint64_t)e->page_size)
		e->last = 0;
	if (e->size % e->page_size != 0)
		ese_fault(e, "", "cut",
		    "it ends within a page: fetch it again");
	e->sweeps = ESE_SWEEPS_MAX;
	check_size(e);
	e->give = GIVE_TIMES * e->size + GIVE_MORE;
	return 1;
}

const char *
header_engine(const struct ese *e)
{
	static const struct {
		uint32_t revision;
		const char *name;
	} all[] = {
		{ 0x12c, "Windows 11 24H2 or later" },
		{ 0xc8, "Windows 11, Server 2022 or later" },
		{ 0x6e, "Windows 10 2004 or later" },
		{ 0x14, "Windows 8 to 10, Server 2012 to 2019" },
		{ 0x11, "Windows 7, Server 2008 R2" },
		{ 0x0c, "Windows Vista, Server 2008" },
		{ 0x0b, "Exchange 2003 SP1" },
		{ 9, "Exchange 2000, Windows XP, Server 2003" },
		{ 0, "Exchange 5.5" },
	};
	size_t i = 0;

	while (e->revision < all[i].revision)
		i++;
	return all[i].name;
}

int
header_clean(const struct ese *e, struct reason *w)
{
	if (e->state == CLEAN)
		return 1;
	if (e->state != DIRTY)
		return reason_set(w, "damaged",
		    "the database is in state %u, neither clean nor dirty: "
		    "rows may be missing",
		    e->state);
	return reason_set(w, "cut",
	    "dirty shutdown: the newest rows may be in its logs only, "
	    "generation %u to %u (edb%05X.log to edb%05X.log): for these, run "
	    "esentutl /r edb on a copy of both, on any Windows",
	    e->log_first, e->log_last, e->log_first, e->log_last);
}
