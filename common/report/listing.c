#include "report/listing.h"

#include <openssl/crypto.h>
#include <string.h>

#include "report/html.h"

static void
list_cell(FILE *fp, const struct rec *r, const char *label, int first)
{
	size_t n = 0;
	char *s = rec_text(r, label, &n);

	if (first)
		html_row(fp, "", s, n);
	else if (strcmp(label, "sha1") == 0 || strcmp(label, "serial") == 0 ||
	    strcmp(label, "signer") == 0 || strcmp(label, "id") == 0)
		html_cell_code(fp, s, n);
	else if (strcmp(label, "not_after") == 0)
		html_cell_day(fp, s, n);
	else
		html_cell(fp, s, n);
	OPENSSL_free(s);
}

static void
list_row(void *arg, const struct rec *r)
{
	struct listing *l = arg;
	const char *p = l->fields;
	char label[32];
	size_t n;

	l->state = NULL;
	if (!l->wants(l, r) || l->n++ >= LISTING_MAX)
		return;
	for (; *p != '\0'; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		(void)snprintf(label, sizeof(label), "%.*s", (int)n, p);
		list_cell(l->fp, r, label, p == l->fields);
	}
	if (l->state != NULL)
		html_cell(l->fp, l->state, strlen(l->state));
	html_row_end(l->fp);
}

void
listing(FILE *fp, struct count *c, const char *caption, const char *heads,
    const char *fields, int (*wants)(struct listing *, const struct rec *))
{
	struct listing l = { fp, c, wants, fields, NULL, 0 };

	html_table(fp, caption, heads, 1);
	count_notes(c, list_row, &l);
	html_table_end(fp);
	if (l.n <= LISTING_MAX)
		return;
	(void)fputs("<p><strong>", fp);
	html_number(fp, l.n - LISTING_MAX);
	(void)fputs(" more are not listed:</strong> a list has ", fp);
	html_number(fp, LISTING_MAX);
	(void)fputs(" rows at most. The numbers above count all of them.</p>\n",
	    fp);
}

int
listing_missing(struct listing *l, const struct rec *r)
{
	const struct count_entry *e;

	if (!rec_is(r, "key") || (e = count_entry0(l->c, r)) == NULL)
		return 0;
	switch (count_place(l->c, e)) {
	case PLACE_ARCHIVE:
		return 0;
	case PLACE_EARLIER:
		l->state = "present, by a log that is not in the input";
		break;
	case PLACE_REFUSED:
		l->state = "refused";
		break;
	default:
		l->state = e->flags & COUNT_DONE ?
		    "imported, but not in the rows of the archive" :
		    e->flags & (COUNT_ALONE | COUNT_TAKEN) ?
		    "archived without its key" :
		    "no record says that it is";
	}
	return 1;
}

int
listing_lost(struct listing *l, const struct rec *r)
{
	const struct count_entry *e;

	return rec_is(r, "cert") && (e = count_entry0(l->c, r)) != NULL &&
	    count_lost(e);
}

int
listing_other(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "result") && rec_get0(r, "id") != NULL;
}

int
listing_refused(struct listing *l, const struct rec *r)
{
	const struct count_entry *e;

	if (rec_is(r, "verdict")) {
		l->state = "kms-verify: bad";
		return 1;
	}
	if (!rec_is(r, "result") || !rec_eq(r, "status", "refused"))
		return 0;
	e = count_entry0(l->c, r);
	l->state = e != NULL && count_taken(e) ?
	    "ca-import: refused; archived in another run" :
	    "ca-import: refused";
	return 1;
}

int
listing_fault(struct listing *l, const struct rec *r)
{
	return l->c->nfaults > 0 ? rec_is(r, "fault") :
				   rec_eq(r, "status", "fault");
}

int
listing_stream(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "stream");
}

/* An agent that ca-init stored; what it can open is counted in kras. */
int
listing_agent(struct listing *l, const struct rec *r)
{
	(void)l;
	return rec_is(r, "kra");
}
