#include "report/listing.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/text.h"
#include "report/html.h"

#define LISTING_ROW (11 * HTML_TEXT) /* bytes of a row */
#define LISTING_ROOM \
	(2 * LISTING_FILE_MAX) /* rows kept until they are sorted */

struct listing {
	const struct list *list;
	struct count *c;
	char owner[2][HTML_TEXT]; /* group and user, by which rows are sorted */
	char more[HTML_TEXT]; /* the last cells, apart by TABs */
	struct listing_row {
		char *text; /* group, user and the cells, each ends in a TAB */
		unsigned long long n; /* records that say the same */
	} * row;
	size_t n;
	unsigned long long all;
};

/* Puts text of the record into a buffer, as it may be shown. */
static void
list_text(char *dst, size_t size, const struct rec *r, const char *label)
{
	char *own;
	struct text t = rec_text_own(r, label, &own);

	text_vis(dst, size, t.s, t.n);
	OPENSSL_free(own);
}

/* Gives group and user of a fault: its fields, or its source's folders. */
static void
list_owner(struct listing *l, const struct rec *r)
{
	char path[HTML_TEXT], *p, *name[3] = { NULL, NULL, NULL };
	size_t i;

	if (l->owner[1][0] != '\0')
		return;
	list_text(path, sizeof(path), r, "source");
	for (i = 0; i < 3 && (p = strrchr(path, '/')) != NULL; i++) {
		name[i] = p + 1;
		*p = '\0';
	}
	if (i < 3 && path[0] != '\0')
		name[i++] = path;
	if (i < 3)
		return;
	(void)snprintf(l->owner[0], HTML_TEXT, "%s", name[2]);
	(void)snprintf(l->owner[1], HTML_TEXT, "%s", name[1]);
}

/* Which notes are rows of a list, and what their last cells say: -------- */

static int
list_missing(struct listing *l, const struct rec *r)
{
	const struct count_cert *e;
	const char *why = "no record has it in the archive";

	if (!rec_is(r, "key") || (e = count_cert0(l->c, r)) == NULL)
		return 0;
	switch (count_place(l->c, e)) {
	case PLACE_ARCHIVE:
		return 0;
	case PLACE_EARLIER:
		why = "archived before, says a log; the log of that run is "
		      "not in the input";
		break;
	case PLACE_REFUSED:
		(void)snprintf(l->more, sizeof(l->more), "refused%s%.490s",
		    e->why == 0 ? "" : ": ",
		    e->why == 0 ?
			"" :
			tally_row0(&l->c->refusals, e->why - 1U)->name);
		return 1;
	default:
		if (e->flags & COUNT_DONE)
			why = "imported, but not in the rows of the archive";
		else if (e->flags & (COUNT_ALONE | COUNT_TAKEN))
			why = "archived without its key";
	}
	(void)snprintf(l->more, sizeof(l->more), "%s", why);
	return 1;
}

static int
list_lost(struct listing *l, const struct rec *r)
{
	const struct count_cert *e;

	return (rec_is(r, "cert") || rec_is(r, "alone")) &&
	    (e = count_cert0(l->c, r)) != NULL && count_lost(e) &&
	    (rec_is(r, "cert") || (e->flags & COUNT_CERT) == 0);
}

static int
list_holding(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "fault") && count_may_hold(r);
}

static int
list_faults(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "fault") && !count_may_hold(r);
}

static int
list_no_key(struct listing *l, const struct rec *r)
{
	struct text g, u;

	if (list_holding(l, r))
		list_owner(l, r);
	else if (!list_lost(l, r))
		return 0;
	g = (struct text){ l->owner[0], strlen(l->owner[0]) };
	u = (struct text){ l->owner[1], strlen(l->owner[1]) };
	return u.n > 0 && !count_has_key(l->c, g, u);
}

static int
list_wanted(struct listing *l, const struct rec *r)
{
	if (!rec_is(r, "fault") || !rec_eq(r, "reason", "password"))
		return 0;
	list_owner(l, r);
	return l->owner[1][0] != '\0';
}

static int
list_passed(struct listing *l, const struct rec *r)
{
	return l->c->nfaults == 0 && rec_is(r, "passed");
}

static int
list_other(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "other");
}

static int
list_refused(struct listing *l, const struct rec *r)
{
	const struct count_cert *e = count_cert0(l->c, r);

	if (!rec_is(r, "verdict") && !rec_is(r, "result"))
		return 0;
	(void)snprintf(l->more, sizeof(l->more), "%s",
	    rec_is(r, "verdict") ?
		"kms-verify: bad" :
		e != NULL && count_taken(e) ?
		"ca-import: refused; archived in another run" :
		"ca-import: refused");
	return 1;
}

static int
list_agents(struct listing *l, const struct rec *r)
{
	const unsigned long long *v;
	char sha1[TALLY_TEXT];
	size_t n;

	if (!rec_is(r, "kra"))
		return 0;
	list_text(sha1, sizeof(sha1), r, "sha1");
	v = tally_get0(&l->c->agents, (struct text){ sha1, strlen(sha1) });
	if (v[AGENT_NAMED] > 0 && rec_get0(r, "subject") == NULL)
		return 0;
	n = (size_t)snprintf(l->more, sizeof(l->more), "%s\t%llu",
	    v[AGENT_NAMED] == 0			    ? "" :
		count_is_over(l->c, r, "not_after") ? "expired" :
						      "valid",
	    v[AGENT_KEYS]);
	if (l->c->nopened > 0) /* else nobody has tried */
		(void)snprintf(l->more + n, sizeof(l->more) - n, "\t%llu\t%llu",
		    v[AGENT_OPENED], v[AGENT_SHUT]);
	else
		(void)snprintf(l->more + n, sizeof(l->more) - n, "\t\t");
	return 1;
}

static int
list_fewer(struct listing *l, const struct rec *r)
{
	unsigned long long n;

	if (!rec_is(r, "row") || !rec_u64(r, "agents", &n) ||
	    n >= l->c->most_agents)
		return 0;
	(void)snprintf(l->more, sizeof(l->more), "%llu", n);
	return 1;
}

static int
list_shut(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "shut");
}

static int
list_streams(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "stream");
}

/* The lists: ----------------------------------------------------------- */

static const struct column {
	const char *label, *head;
	enum html_kind kind;
} columns[] = {
	{ "user", "User", HTML_NAME },
	{ "group", "Group", HTML_NAME },
	{ "mail", "Mail", HTML_NAME },
	{ "serial", "Serial number", HTML_CODE },
	{ "not_after", "Expires", HTML_DAY },
	{ "sha1", "Thumbprint", HTML_CODE },
	{ "source", "Source", HTML_NAME },
	{ "reason", "Reason", HTML_NAME },
	{ "detail", "Detail", HTML_NAME },
	{ "id", "Row", HTML_CODE },
	{ "kra", "Agent", HTML_CODE },
	{ "subject", "Subject", HTML_NAME },
	{ "signer", "SHA-256 of its certificate", HTML_CODE },
	{ "time", "Written", HTML_NAME },
	{ "stream", "Stream", HTML_CODE },
};

#define CERT "user group mail serial not_after sha1"

static const struct list {
	const char *id, *caption;
	const char *fields; /* labels of columns, apart by blanks */
	const char *more; /* heads of the last cells, as for html_table() */
	int sums; /* the last cell says how many records make the row */
	int (*wants)(struct listing *, const struct rec *);
} lists[] = {
	[LISTING_MISSING] = { "missing",
	    "Exported keys that are not in the archive", CERT, "Why", 0,
	    list_missing },
	[LISTING_NO_KEY] = { "users-without-key", "Users left with no key",
	    "user group", "#Certificates and files", 1, list_no_key },
	[LISTING_WANTED] = { "passwords", "Users whose password is wanted",
	    "user group", "#Files", 1, list_wanted },
	[LISTING_HOLDING] = { "unread", "What could not be read, and why",
	    "source reason detail", "", 0, list_holding },
	[LISTING_FAULTS] = { "other-files",
	    "Other files, not known to hold keys", "source reason detail", "",
	    0, list_faults },
	[LISTING_PASSED] = { "passed-on", "Faults that ca-import passed on",
	    "reason", "", 0, list_passed },
	[LISTING_LOST] = { "without-key",
	    "Certificates for encryption whose key is not there",
	    CERT " source", "", 0, list_lost },
	[LISTING_OTHER] = { "other-user", "Archived under another user",
	    "user id sha1 reason", "", 0, list_other },
	[LISTING_REFUSED] = { "refused", "Refused or bad records",
	    "user sha1 reason", "Status", 0, list_refused },
	[LISTING_AGENTS] = { "agents-list",
	    "Agents, and the keys they can open", "subject not_after sha1",
	    "Certificate|#Keys|Opened|Not opened", 0, list_agents },
	[LISTING_FEWER] = { "fewer-agents",
	    "Keys that fewer agents can open than the others", CERT, "#Agents",
	    0, list_fewer },
	[LISTING_SHUT] = { "not-opened", "Keys that did not open",
	    "user id sha1 kra reason", "", 0, list_shut },
	[LISTING_STREAMS] = { "streams", "Sealed streams",
	    "subject signer time stream", "", 0, list_streams },
};

/* Returns the column of the label at *p, and moves *p on; NULL at the end. */
static const struct column *
list_column(const char **p)
{
	const size_t all = sizeof(columns) / sizeof(columns[0]);
	size_t i, n = strcspn(*p, " ");

	for (i = 0; n > 0 && i < all; i++)
		if (strlen(columns[i].label) == n &&
		    memcmp(columns[i].label, *p, n) == 0) {
			*p += n + ((*p)[n] == ' ');
			return &columns[i];
		}
	return NULL;
}

/* Sorting ---------------------------------------------------------------- */

static int
list_by_text(const void *a, const void *b)
{
	return strcmp(((const struct listing_row *)a)->text,
	    ((const struct listing_row *)b)->text);
}

/* Sorts the rows, joins equal ones, and drops those that no list shows. */
static void
list_sort(struct listing *l)
{
	size_t i, n = 0;

	qsort(l->row, l->n, sizeof(*l->row), list_by_text);
	for (i = 0; i < l->n; i++)
		if (n > 0 && list_by_text(&l->row[n - 1], &l->row[i]) == 0) {
			l->row[n - 1].n += l->row[i].n;
			l->all--;
			free(l->row[i].text);
		} else
			l->row[n++] = l->row[i];
	for (l->n = n; l->n > LISTING_FILE_MAX; l->n--)
		free(l->row[l->n - 1].text);
}

static void
list_note(void *arg, const struct rec *r)
{
	struct listing *l = arg;
	const struct column *col;
	const char *p = l->list->fields;
	char text[LISTING_ROW];
	size_t n;

	list_text(l->owner[0], HTML_TEXT, r, "group");
	list_text(l->owner[1], HTML_TEXT, r, "user");
	l->more[0] = '\0';
	if (!l->list->wants(l, r))
		return;
	n = (size_t)snprintf(text, sizeof(text), "%s\t%s\t", l->owner[0],
	    l->owner[1]);
	while ((col = list_column(&p)) != NULL) {
		if (strcmp(col->label, "group") == 0)
			(void)snprintf(text + n, HTML_TEXT, "%s", l->owner[0]);
		else if (strcmp(col->label, "user") == 0)
			(void)snprintf(text + n, HTML_TEXT, "%s", l->owner[1]);
		else
			list_text(text + n, HTML_TEXT, r, col->label);
		n += strlen(text + n);
		text[n++] = '\t';
	}
	if (l->more[0] != '\0')
		(void)snprintf(text + n, HTML_TEXT + 1, "%s\t", l->more);
	else
		text[n] = '\0';
	if (l->n == LISTING_ROOM)
		list_sort(l);
	if ((l->row[l->n].text = strdup(text)) == NULL)
		heap_nomem();
	l->row[l->n++].n = 1;
	l->all++;
}

/* Writing ---------------------------------------------------------------- */

/* Writes a cell of the page, or of the file. */
static void
list_cell(FILE *fp, int file, int first, enum html_kind kind, const char *s,
    size_t n)
{
	if (file)
		html_csv(fp, s, n, first);
	else if (first)
		html_row(fp, "", s, n);
	else
		html_cell(fp, kind, s, n);
}

static void
list_row(FILE *fp, int file, const struct list *list,
    const struct listing_row *row)
{
	const struct column *col;
	const char *p = list->fields, *more = list->more, *s = row->text;
	char number[24];
	size_t i, n;
	int numbers = 0;

	s += strcspn(s, "\t") + 1;
	s += strcspn(s, "\t") + 1;
	for (i = 0; *s != '\0'; s += n + 1, i++) {
		n = strcspn(s, "\t");
		if ((col = list_column(&p)) == NULL) {
			numbers |= *more == '#';
			more += strcspn(more, "|");
			more += *more == '|';
		}
		list_cell(fp, file, i == 0,
		    col != NULL ? col->kind :
			numbers ? HTML_NUMBER :
				  HTML_NAME,
		    s, n);
	}
	if (list->sums) {
		n = (size_t)snprintf(number, sizeof(number), "%llu", row->n);
		list_cell(fp, file, 0, HTML_NUMBER, number, n);
	}
	if (file)
		html_csv_row_end(fp);
	else
		html_row_end(fp);
}

/* Writes the heads of its columns, separated by `|'. */
static void
list_heads(char *dst, size_t size, const struct list *list)
{
	const struct column *col;
	const char *p = list->fields;
	size_t n = 0;

	while ((col = list_column(&p)) != NULL)
		n += (size_t)snprintf(dst + n, size - n, "%s%s",
		    n == 0 ? "" : "|", col->head);
	if (*list->more != '\0')
		(void)snprintf(dst + n, size - n, "|%s", list->more);
}

/* Writes all rows, as a file to save. */
static void
list_file(FILE *fp, const struct listing *l, const char *heads)
{
	const char *id = l->list->id;
	size_t i, n;

	html_csv_begin(fp, id);
	for (i = 0; *heads != '\0'; i++) {
		heads += *heads == '#';
		n = strcspn(heads, "|");
		html_csv(fp, heads, n, i == 0);
		heads += n + (heads[n] == '|');
	}
	html_csv_row_end(fp);
	for (i = 0; i < l->n; i++)
		list_row(fp, 1, l->list, &l->row[i]);
	html_csv_end(fp, id, l->n);
}

static void
list_write(FILE *fp, const struct listing *l)
{
	char heads[256];
	size_t i;

	list_heads(heads, sizeof(heads), l->list);
	html_table(fp, l->list->id, l->list->caption, heads, 1);
	for (i = 0; i < l->n && i < LISTING_MAX; i++)
		list_row(fp, 0, l->list, &l->row[i]);
	list_file(fp, l, heads);
	if (l->all <= LISTING_MAX)
		return;
	(void)fputs("<p><strong>", fp);
	html_number(fp, l->all - LISTING_MAX);
	(void)fputs(" more are not listed here:</strong> a list has ", fp);
	html_number(fp, LISTING_MAX);
	(void)fputs(" rows at most, its file ", fp);
	html_number(fp, LISTING_FILE_MAX);
	(void)fputs("; the records themselves have all, see "
		    "<code>kms-report</code>(1).  The numbers above count all "
		    "of them.</p>\n",
	    fp);
}

unsigned long long
listing(FILE *fp, struct count *c, enum listing_id id)
{
	struct listing l = { .list = &lists[id], .c = c };
	size_t i;

	if ((l.row = calloc(LISTING_ROOM, sizeof(*l.row))) == NULL)
		heap_nomem();
	notes_each(&c->notes, list_note, &l);
	list_sort(&l);
	if (l.n > 0)
		list_write(fp, &l);
	for (i = 0; i < l.n; i++)
		free(l.row[i].text);
	free(l.row);
	return l.all;
}
