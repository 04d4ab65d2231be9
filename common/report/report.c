#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/heap.h"
#include "base/tool.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/listing.h"

static void
put(FILE *fp, const char *s)
{
	(void)fputs(s, fp);
}

/* `1 key', `1,000 keys'. */
static void
count(FILE *fp, unsigned long long n, const char *one, const char *more)
{
	html_number(fp, n);
	(void)fprintf(fp, " %s", n == 1 ? one : more);
}

static unsigned long long
not_archived(const struct count *c)
{
	return c->place[PLACE_EARLIER] + c->place[PLACE_REFUSED] +
	    c->place[PLACE_MISSING];
}

int
report_clean(const struct count *c)
{
	return c->lines > c->heads + c->ends && c->bad == 0 &&
	    c->refused == 0 && c->clashes == 0 && c->unnamed == 0 &&
	    (!count_compares(c) || not_archived(c) == 0);
}

static void
row_number(FILE *fp, const char *class, const char *head, unsigned long long v)
{
	html_row(fp, class, head, strlen(head));
	html_cell_number(fp, v);
	html_row_end(fp);
}

/* The names of a tally with the first cols of their numbers; or one and bars. */
static void
table_of(FILE *fp, const struct tally *t, const char *caption,
    const char *heads, size_t cols)
{
	const struct tally_row *r;
	unsigned long long most = 0;
	size_t i, k, n = tally_rows(t);

	for (i = 0; i < n; i++) {
		r = tally_row0(t, i);
		most = r->v[0] > most ? r->v[0] : most;
	}
	html_table(fp, caption, heads, 0);
	for (i = 0; i < n; i++) {
		r = tally_row0(t, i);
		html_row(fp, "", r->name, strlen(r->name));
		for (k = 0; k == 0 || k < cols; k++)
			html_cell_number(fp, r->v[k]);
		if (cols == 0)
			chart_cell(fp, r->v[0], most);
		html_row_end(fp);
	}
	html_table_end(fp);
}

/* The numbers of it. */
static void
places(FILE *fp, const struct count *c)
{
	html_table(fp, "Reconciliation", "Keys|#Number", 0);
	row_number(fp, "sum", "In the export", c->exported);
	row_number(fp, "part", "in the archive", c->place[PLACE_ARCHIVE]);
	if (c->nrows == 0)
		row_number(fp, "part",
		    "present, by a log that is not in the input",
		    c->place[PLACE_EARLIER]);
	row_number(fp, "part", "refused", c->place[PLACE_REFUSED]);
	row_number(fp, "part", "missing", c->place[PLACE_MISSING]);
	if (c->nrows > 0)
		row_number(fp, "", "In the archive, not in the export",
		    c->only_rows);
	html_table_end(fp);
}

static void
reconciliation(FILE *fp, struct count *c)
{
	const struct chart_bar bars[] = {
		{ "ok", "in the archive", c->place[PLACE_ARCHIVE] },
		{ "warn", "present by an earlier import",
		    c->place[PLACE_EARLIER] },
		{ "bad", "refused or missing",
		    c->place[PLACE_REFUSED] + c->place[PLACE_MISSING] },
	};

	html_section(fp, "reconciliation", "Export and archive");
	if (!count_compares(c)) {
		put(fp,
		    "<p>There is nothing to compare: the input has no keys of "
		    "an export, or neither results of <code>ca-import</code> "
		    "nor rows of <code>ca-export</code>. Give both, one after "
		    "the other.</p>\n");
		html_section_end(fp);
		return;
	}
	put(fp,
	    "<p>Each exported key is looked for, by the SHA-1 thumbprint of "
	    "its certificate, among the ");
	put(fp,
	    c->nrows > 0 ?
		"rows that <code>ca-export</code> read from the archive.</p>" :
		"results of <code>ca-import</code>, which says "
		"<q>imported</q> once a key is on disk.</p>");
	chart_stack(fp, "Where the exported keys are", bars, 3);
	places(fp, c);
	if (not_archived(c) > 0)
		listing(fp, c, "Exported keys that are not in the archive",
		    "User|Group|Mail|Serial number|Expires|Thumbprint|Why",
		    "user group mail serial not_after sha1", listing_missing);
	html_section_end(fp);
}

static void
group_row(FILE *fp, const struct count *c, const char *name,
    const unsigned long long *v)
{
	html_row(fp, "", name, strlen(name));
	html_cell_number(fp, v[GROUP_USERS]);
	html_cell_number(fp, v[GROUP_KEYS]);
	if (count_compares(c)) {
		html_cell_number(fp, v[GROUP_KEYS] - v[GROUP_MISSING]);
		html_cell_number(fp, v[GROUP_MISSING]);
	}
	html_cell_number(fp, v[GROUP_LOST]);
	if (c->nrows > 0)
		html_cell_number(fp, v[GROUP_ROWS]);
	html_row_end(fp);
}

static void
groups(FILE *fp, struct count *c)
{
	const struct tally *t = &c->groups;
	const struct tally_row *r;
	char heads[128];
	size_t i;

	html_section(fp, "groups", "Administrative groups");
	(void)snprintf(heads, sizeof(heads),
	    "Group|#Users|Keys exported%s|Without key%s",
	    count_compares(c) ? "|In the archive|Not there" : "",
	    c->nrows > 0 ? "|In rows" : "");
	html_table(fp, "Users and keys of each group", heads, 1);
	for (i = 0; i < tally_rows(t); i++) {
		r = tally_row0(t, i);
		group_row(fp, c, r->name, r->v);
	}
	html_table_end(fp);
	put(fp,
	    "<p class=\"soft\">Keys exported: once for each certificate. "
	    "Without key: certificates of users for encryption whose key was "
	    "not in the backup.");
	if (c->nrows > 0)
		put(fp, " In rows: keys of the archive, exported or not.");
	put(fp, "</p>\n");
	if (c->others.n > 0)
		listing(fp, c, "Archived under another user",
		    "User of the export|Row|Thumbprint|What ca-import said",
		    "user id sha1 reason", listing_other);
	html_section_end(fp);
}

static void
algorithms(FILE *fp, struct count *c)
{
	html_section(fp, "algorithms", "Algorithms and key sizes");
	if (c->keys == 0)
		put(fp, "<p>No key in the input.</p>\n");
	else {
		table_of(fp, &c->algs, "Keys by algorithm and size",
		    "Algorithm|#Keys|-", 0);
		put(fp, "<p class=\"soft\">");
		count(fp, c->v1, "certificate is", "certificates are");
		put(fp, " of version 1.</p>\n");
	}
	html_section_end(fp);
}

/* The same numbers, for those who do not see the chart. */
static void
year_table(FILE *fp, const struct count *c, size_t first, size_t n,
    const unsigned long long *valid)
{
	char year[24];
	size_t i;

	html_table(fp, "Certificates by year", "Year|#Valid|Begin|End", 0);
	for (i = 0; i < n; i++) {
		(void)snprintf(year, sizeof(year), "%zu", first + i);
		html_row(fp, "", year, strlen(year));
		html_cell_number(fp, valid[i]);
		html_cell_number(fp, c->years.of[first + i].from);
		html_cell_number(fp, c->years.of[first + i].to);
		html_row_end(fp);
	}
	html_table_end(fp);
}

static void
validity(FILE *fp, struct count *c)
{
	unsigned long long valid[YEARS_SHOWN];
	size_t first, i, n;
	int cut;

	html_section(fp, "validity", "Validity of the certificates");
	if ((n = years_range(&c->years, &first, &cut)) == 0) {
		put(fp, "<p>No key with a date in the input.</p>\n");
		html_section_end(fp);
		return;
	}
	for (i = 0; i < n; i++)
		valid[i] = years_valid(&c->years, first + i);
	put(fp, "<p>");
	html_number(fp, c->expired);
	put(fp, " of ");
	count(fp, c->keys, "certificate", "certificates");
	(void)fprintf(fp,
	    " had expired when this page was made. Their keys still open the "
	    "mail of their time.%s</p>\n",
	    cut ? " Years before and after these are not shown." : "");
	chart_columns(fp, "Certificates valid in each year",
	    "Certificates valid", first, valid, n);
	year_table(fp, c, first, n, valid);
	if (c->years.undated > 0) {
		put(fp, "<p>Without usable dates: ");
		html_number(fp, c->years.undated);
		put(fp, ".</p>\n");
	}
	html_section_end(fp);
}

static void
faults(FILE *fp, struct count *c)
{
	html_section(fp, "faults", "Faulted and refused");
	if (tally_rows(&c->faults) == 0 && c->lost == 0 && c->nresults == 0 &&
	    c->bad == 0 && c->clashes == 0)
		put(fp,
		    "<p>Nothing in the input was faulted or refused.</p>\n");
	if (tally_rows(&c->faults) > 0)
		table_of(fp, &c->faults, "Faults by reason",
		    "Reason|#In the export|In verdicts of kms-verify", 2);
	if (c->nfaults > 0 || c->result_faults > 0)
		listing(fp, c, "What could not be read, and why",
		    "Source|Reason|Detail", "source reason detail",
		    listing_fault);
	if (c->lost > 0)
		listing(fp, c,
		    "Certificates for encryption whose key is not there",
		    "User|Group|Mail|Serial number|Expires|Thumbprint|Source",
		    "user group mail serial not_after sha1 source",
		    listing_lost);
	if (c->nresults > 0)
		table_of(fp, &c->results, "Results of ca-import",
		    "Status and reason|#Records", 1);
	if (c->refused_records + c->bad > 0)
		listing(fp, c, "Refused or bad records",
		    "User|Thumbprint|Reason|Status", "user sha1 reason",
		    listing_refused);
	if (c->clashes > 0) {
		put(fp, "<p><strong>");
		count(fp, c->clashes, "thumbprint stands", "thumbprints stand");
		put(fp,
		    " for several certificates</strong> whose SHA-256 differ: "
		    "somebody made them so, and what is said here of one may "
		    "be true of the other.</p>\n");
	}
	html_section_end(fp);
}

static void
agents(FILE *fp, struct count *c)
{
	if (tally_rows(&c->kras) == 0 && c->agents == 0)
		return;
	html_section(fp, "agents", "Recovery agents");
	if (c->agents > 0)
		listing(fp, c, "Agents of the archive, by ca-init",
		    "Subject|Expires|Thumbprint", "subject not_after sha1",
		    listing_agent);
	if (tally_rows(&c->kras) > 0)
		table_of(fp, &c->kras, "Keys that each agent can open",
		    "Thumbprint of the agent|#Keys|-", 0);
	html_section_end(fp);
}

enum mark { MARK_OK, MARK_WARN, MARK_BAD, MARK_NONE };

static const struct {
	const char *class, *path; /* of an icon, 24 wide */
} marks[] = {
	{ "ok", "M5 13l5 5L20 7" },
	{ "warn", "M12 4v10m0 4v2" },
	{ "bad", "M6 6l12 12M18 6L6 18" },
	{ "none", "M6 12h12" },
};

/* One of the checks: who made it, in what words, and what came out. */
static void
check(FILE *fp, const char *what, const char *who, enum mark m,
    const char *word)
{
	(void)fprintf(fp,
	    "<tr><th scope=\"row\">%s</th><td>%s</td><td><span class=\"mark "
	    "%s\">%s</span></td>",
	    what, who, marks[m].class, word);
	html_row_end(fp);
}

/* The same, for n of all. */
static void
check_some(FILE *fp, const char *what, const char *who, unsigned long long n,
    unsigned long long all, unsigned long long records, const char *none)
{
	char word[64];

	(void)snprintf(word, sizeof(word), "%llu of %llu keys", n, all);
	check(fp, what, who,
	    records == 0 ? MARK_NONE :
		n == all ? MARK_OK :
			   MARK_WARN,
	    records == 0 ? none : word);
}

static void
checks(FILE *fp, const struct count *c)
{
	html_section(fp, "checks", "What was checked");
	put(fp,
	    "<p><strong>This page proves nothing by itself.</strong> It "
	    "repeats what records say: it opened no seal and no archive, and "
	    "who could write its input could have it say anything. What was "
	    "checked, by whom:</p>\n");
	html_table(fp, "Checks", "Check|By|Result", 0);
	check(fp,
	    "The form of each record, and that none is missing: numbers, "
	    "counts and digests of each stream",
	    "<code>kms-report</code>", c->part ? MARK_WARN : MARK_OK,
	    c->part ? "Not made: parts (-P)" : "Passed");
	check(fp,
	    "Sealed streams are signed by the certificate that they carry. "
	    "Whether that is the right one is for you to compare: see Input",
	    "<code>kms-report</code>", c->heads > 0 ? MARK_OK : MARK_NONE,
	    c->heads > 0 ? "Passed" : "No sealed stream");
	check_some(fp,
	    "The records of exported keys are in order. Only with <code>-k</code> was the "
	    "key itself seen and proven to belong to its certificate; the "
	    "verdicts do not tell",
	    "<code>kms-verify -r</code>", c->proven, c->exported, c->nverdicts,
	    "No verdicts");
	check_some(fp,
	    "Exported keys are proven, encrypted to the recovery agents, and "
	    "on disk",
	    "<code>ca-import</code>", c->done, c->exported, c->nresults,
	    "No results");
	check_some(fp, "Exported keys are in rows of the archive",
	    "<code>ca-export</code>",
	    c->nrows > 0 ? c->place[PLACE_ARCHIVE] : 0, c->exported, c->nrows,
	    "No rows");
	check(fp, "Nobody has altered the archive: its audit chain",
	    "<code>ca-export -A</code>", MARK_NONE, "Not in records");
	check(fp, "Archived keys open, with each recovery agent",
	    "<code>ca-recover</code>", MARK_NONE, "Not in records");
	html_table_end(fp);
	html_section_end(fp);
}

static void
input(FILE *fp, struct count *c)
{
	html_section(fp, "input", "Input");
	put(fp,
	    "<p>SHA-256 of all that was read, as "
	    "<code>sha256sum</code> shows it:<br>");
	html_hex(fp, c->sha256, sizeof(c->sha256));
	put(fp, "<br>");
	count(fp, c->bytes, "byte", "bytes");
	put(fp, ", ");
	count(fp, c->lines, "line", "lines");
	put(fp, ", ");
	count(fp, c->ends, "closed stream", "closed streams");
	put(fp, "; ");
	count(fp, c->again, "record of a certificate that had come before",
	    "records of certificates that had come before");
	put(fp, ".</p>\n");
	table_of(fp, &c->types, "Records by type", "Type|#Records", 1);
	if (c->heads > 0)
		listing(fp, c, "Sealed streams",
		    "Signed by|SHA-256 of that certificate|Written|Stream",
		    "subject signer time id", listing_stream);
	html_section_end(fp);
}

/* What there is to say first.  The words go between <strong> and <br>. */
static enum mark
headline(FILE *fp, const struct count *c)
{
	unsigned long long gone = not_archived(c);

	if (count_compares(c) && gone > 0) {
		html_number(fp, gone);
		put(fp, " of ");
		count(fp, c->exported, "exported key is", "exported keys are");
		put(fp, " not shown to be in the archive");
		return gone > c->place[PLACE_EARLIER] ? MARK_BAD : MARK_WARN;
	}
	if (!report_clean(c) && c->lines > c->heads + c->ends) {
		put(fp, "Records were refused, bad or ambiguous");
		return MARK_BAD;
	}
	if (count_compares(c)) {
		if (c->exported > 1)
			put(fp, "All ");
		count(fp, c->exported, "exported key is", "exported keys are");
		put(fp, " in the archive");
		return c->nfaults + c->lost > 0 ? MARK_WARN : MARK_OK;
	}
	if (c->keys == 0) {
		put(fp, "No key in the input");
		return MARK_NONE;
	}
	count(fp, c->keys, "key", "keys");
	put(fp,
	    c->exported > 0 ? " exported, and no word of an archive" :
			      " in the archive, and no export to compare");
	return MARK_NONE;
}

/* The second line of it. */
static void
remarks(FILE *fp, const struct count *c)
{
	if (c->nfaults + c->lost > 0) {
		put(fp, "The backup also held what could not be exported: ");
		count(fp, c->nfaults, "fault", "faults");
		put(fp, " and ");
		count(fp, c->lost, "certificate without its key",
		    "certificates without their keys");
		put(fp, ". ");
	}
	if (c->refused + c->bad > 0) {
		count(fp, c->refused, "certificate was", "certificates were");
		put(fp, " refused and never archived, ");
		count(fp, c->bad, "record was", "records were");
		put(fp, " bad. ");
	}
	if (c->unnamed > 0) {
		count(fp, c->unnamed, "exported record has",
		    "exported records have");
		put(fp, " no thumbprint: what became of them is not known. ");
	}
	put(fp,
	    "It is what the records say; see <a href=\"#checks\">what was "
	    "checked</a>.");
}

static void
say(FILE *fp, const struct count *c)
{
	char *text;
	size_t n;
	FILE *mem = open_memstream(&text, &n);
	enum mark m;

	if (mem == NULL)
		heap_nomem();
	m = headline(mem, c);
	if (fclose(mem) == EOF)
		heap_nomem();
	(void)fprintf(fp,
	    "<div class=\"say %s\"><svg viewBox=\"0 0 24 24\" fill=\"none\" "
	    "stroke=\"currentColor\" stroke-width=\"2.5\" "
	    "stroke-linecap=\"round\" stroke-linejoin=\"round\" "
	    "aria-hidden=\"true\"><path d=\"%s\"/></svg>\n<p><strong>%s</strong>"
	    "\n",
	    marks[m].class, marks[m].path, text);
	free(text);
	remarks(fp, c);
	put(fp, "</p></div>\n");
}

static void
sum(FILE *fp, const char *name, unsigned long long v, enum mark m)
{
	(void)fprintf(fp, "<div><dt>%s</dt><dd class=\"%s\">", name,
	    v == 0 ? "" : marks[m].class);
	html_number(fp, v);
	put(fp, "</dd></div>\n");
}

static void
sums(FILE *fp, const struct count *c)
{
	put(fp, "<dl class=\"sums\">\n");
	sum(fp, "users", c->users.n, MARK_NONE);
	sum(fp, "keys exported", c->exported, MARK_NONE);
	if (count_compares(c)) {
		sum(fp, "of them in the archive", c->place[PLACE_ARCHIVE],
		    MARK_NONE);
		sum(fp, "of them not there", not_archived(c), MARK_BAD);
	} else {
		sum(fp, "keys in rows of the archive", c->rows, MARK_NONE);
		sum(fp, "results of an import", c->nresults, MARK_NONE);
	}
	sum(fp, "faults in the backup", c->nfaults, MARK_WARN);
	sum(fp, "certificates without their key", c->lost, MARK_WARN);
	sum(fp, "signing keys, held back", c->signing, MARK_NONE);
	sum(fp, "certificates of CAs", c->cas, MARK_NONE);
	sum(fp, "refused and never archived", c->refused, MARK_BAD);
	put(fp, "</dl>\n");
}

void
report_write(FILE *fp, struct count *c)
{
	char title[64];

	(void)snprintf(title, sizeof(title), "Key archive report, %.10s",
	    c->now);
	html_begin(fp, title);
	(void)fprintf(fp,
	    "<header>\n<p class=\"over\">kms2ca</p>\n<h1>Key archive "
	    "report</h1>\n<p class=\"soft\">Made by kms-report " TOOL_VERSION
	    " on <time datetime=\"%s\">%.10s, %.5s UTC</time>, of an input "
	    "with SHA-256 ",
	    c->now, c->now, c->now + 11);
	html_hex(fp, c->sha256, sizeof(c->sha256));
	put(fp, "</p>\n</header>\n<main>\n");
	say(fp, c);
	sums(fp, c);
	reconciliation(fp, c);
	groups(fp, c);
	algorithms(fp, c);
	validity(fp, c);
	faults(fp, c);
	agents(fp, c);
	checks(fp, c);
	input(fp, c);
	put(fp,
	    "</main>\n<footer><p>This page needs no network and runs no "
	    "script. It holds names, serial numbers and thumbprints, and "
	    "no key.</p></footer>\n");
	html_end(fp);
}
