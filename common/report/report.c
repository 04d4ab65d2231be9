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

/* Writes `1 key' or `1,000 keys'. */
static void
put_count(FILE *fp, unsigned long long n, const char *one, const char *more)
{
	html_number(fp, n);
	(void)fprintf(fp, " %s", n == 1 ? one : more);
}

unsigned long long
report_gone(const struct count *c)
{
	return count_compares(c) ? c->exported - c->place[PLACE_ARCHIVE] : 0;
}

/* Returns 1 if there are records besides heads and ends. */
static int
has_records(const struct count *c)
{
	return c->lines > c->heads + c->ends;
}

int
report_clean(const struct count *c)
{
	return has_records(c) && c->bad == 0 && c->refused == 0 &&
	    c->clashes == 0 && c->unnamed == 0 && c->shut == 0 &&
	    c->altered == 0 && c->strays == 0 && report_gone(c) == 0;
}

/* Tables ----------------------------------------------------------------- */

static void
row_number(FILE *fp, const char *class, const char *head, unsigned long long v)
{
	html_row(fp, class, head, strlen(head));
	html_cell_number(fp, v);
	html_row_end(fp);
}

/* Writes a tally's names with their first cols numbers, or one and bars. */
static void
table_of(FILE *fp, const struct tally *t, const char *caption,
    const char *heads, size_t cols)
{
	const struct tally_row *r;
	unsigned long long most = 0;
	size_t i, k, n = tally_rows(t);

	if (n == 0)
		return;
	for (i = 0; i < n; i++) {
		r = tally_row0(t, i);
		most = r->v[0] > most ? r->v[0] : most;
	}
	html_table(fp, NULL, caption, heads, 0);
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

/* Export and archive ----------------------------------------------------- */

/* Explains the export's three numbers: records, members and certificates. */
static void
sentence(FILE *fp, const struct count *c)
{
	put(fp, "<p>The export has ");
	put_count(fp, c->key_records, "key record", "key records");
	put(fp, ", from ");
	put_count(fp, c->members, "member", "members");
	put(fp, " of the backup, of ");
	put_count(fp, c->exported, "certificate", "certificates");
	if (c->key_records > c->exported + c->unnamed)
		put(fp, ": what was found again counts once");
	put(fp, ".</p>\n");
}

/* What kms-export says of all members, at the end of its streams. */
static void
accounts(FILE *fp, const struct stream_sum *s)
{
	put(fp, "<p><code>kms-export</code> accounts for ");
	put_count(fp, s->members, "member", "members");
	put(fp, " of the backup: with keys ");
	html_number(fp, s->keys);
	put(fp, ", with certificates alone ");
	html_number(fp, s->certs);
	put(fp, ", faulted ");
	html_number(fp, s->faulted);
	put(fp, ", skipped ");
	html_number(fp, s->skipped);
	put(fp, ".</p>\n");
}

static void
reconciliation(FILE *fp, struct count *c)
{
	const struct chart_bar bars[] = {
		{ "ok", "in the archive", c->place[PLACE_ARCHIVE] },
		{ "warn", "archived before, says a log",
		    c->place[PLACE_EARLIER] },
		{ "bad", "refused or missing",
		    c->place[PLACE_REFUSED] + c->place[PLACE_MISSING] },
	};

	if (c->key_records > 0)
		sentence(fp, c);
	if (c->sum.members > 0)
		accounts(fp, &c->sum);
	if (!count_compares(c)) {
		put(fp,
		    "<p>There is nothing to compare: the input has no keys of "
		    "an export, or neither results of <code>ca-import</code> "
		    "nor rows of <code>ca-export</code>. Give both, one after "
		    "the other.</p>\n");
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
	html_table(fp, NULL, "Reconciliation", "Keys|#Number", 0);
	row_number(fp, "sum", "In the export", c->exported);
	row_number(fp, "part", "in the archive", c->place[PLACE_ARCHIVE]);
	if (c->nrows == 0)
		row_number(fp, "part", "archived before, says a log",
		    c->place[PLACE_EARLIER]);
	row_number(fp, "part", "refused", c->place[PLACE_REFUSED]);
	row_number(fp, "part", "missing", c->place[PLACE_MISSING]);
	if (c->nrows > 0)
		row_number(fp, "", "In the archive, not in the export",
		    c->only_rows);
	html_table_end(fp);
	(void)listing(fp, c, LISTING_MISSING);
}

/* Users and groups ------------------------------------------------------- */

static int
users_known(const struct count *c)
{
	return c->nexport > 0 || c->nrows > 0;
}

static void
users(FILE *fp, struct count *c)
{
	if (listing(fp, c, LISTING_NO_KEY) + listing(fp, c, LISTING_WANTED) ==
	    0)
		put(fp,
		    "<p>No record names a user without a key, or a file of a "
		    "user that wants a password.</p>\n");
	else
		put(fp,
		    "<p class=\"soft\">A file belongs to the user that its "
		    "folder names.</p>\n");
}

static void
group_row(FILE *fp, const struct count *c, const struct tally_row *r)
{
	const unsigned long long *v = r->v;

	html_row(fp, "", r->name, strlen(r->name));
	html_cell_number(fp, v[GROUP_USERS]);
	if (c->nexport > 0)
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

static int
groups_known(const struct count *c)
{
	return tally_rows(&c->groups) > 0 || c->others > 0;
}

static void
groups(FILE *fp, struct count *c)
{
	char heads[128];
	size_t i;

	if (tally_rows(&c->groups) > 0) {
		(void)snprintf(heads, sizeof(heads),
		    "Group|#Users%s%s|Without key%s",
		    c->nexport > 0 ? "|Keys exported" : "",
		    count_compares(c) ? "|In the archive|Missing" : "",
		    c->nrows > 0 ? "|Keys in rows" : "");
		html_table(fp, NULL, "Users and keys of each group", heads, 1);
		for (i = 0; i < tally_rows(&c->groups); i++)
			group_row(fp, c, tally_row0(&c->groups, i));
		html_table_end(fp);
		put(fp,
		    "<p class=\"soft\">Keys count once for each certificate. "
		    "Without key: certificates of users for encryption whose "
		    "key is not there.</p>\n");
	}
	(void)listing(fp, c, LISTING_OTHER);
}

/* Algorithms and years --------------------------------------------------- */

static int
keys_known(const struct count *c)
{
	return c->keys > 0;
}

static void
algorithms(FILE *fp, struct count *c)
{
	table_of(fp, &c->algs, "Keys by algorithm and size",
	    "Algorithm|#Keys|-", 0);
	if (c->versions == 0)
		return;
	put(fp, "<p class=\"soft\">");
	put_count(fp, c->v1, "certificate is", "certificates are");
	put(fp, " of version 1");
	if (c->versions < c->keys) {
		put(fp, ", of the ");
		html_number(fp, c->versions);
		put(fp, " whose record says the version");
	}
	put(fp, ".</p>\n");
}

/* Writes the numbers of the chart, for those who do not see it. */
static void
year_table(FILE *fp, const struct count *c, size_t from, size_t n,
    const unsigned long long *valid)
{
	char year[24];
	size_t i;

	html_table(fp, NULL, "Certificates by year", "Year|#Valid|Begin|End",
	    0);
	for (i = 0; i < n; i++) {
		(void)snprintf(year, sizeof(year), "%zu", from + i);
		html_row(fp, "", year, strlen(year));
		html_cell_number(fp, valid[i]);
		html_cell_number(fp, c->years.of[from + i].from);
		html_cell_number(fp, c->years.of[from + i].to);
		html_row_end(fp);
	}
	html_table_end(fp);
}

static void
validity(FILE *fp, struct count *c)
{
	unsigned long long valid[YEARS_SHOWN];
	size_t from, i, n;
	int cut;

	if ((n = years_range(&c->years, &from, &cut)) == 0) {
		put(fp, "<p>No key with a date in the input.</p>\n");
		return;
	}
	for (i = 0; i < n; i++)
		valid[i] = years_valid(&c->years, from + i);
	put(fp, "<p>");
	html_number(fp, c->expired);
	put(fp, " of ");
	put_count(fp, c->keys, "certificate", "certificates");
	(void)fprintf(fp,
	    " had expired when this page was made. Their keys still open the "
	    "mail of their time.%s</p>\n",
	    cut ? " Years before and after these are not shown." : "");
	chart_columns(fp, "Certificates valid in each year",
	    "Certificates valid", from, valid, n);
	year_table(fp, c, from, n, valid);
	if (c->years.undated > 0) {
		put(fp, "<p>Without usable dates: ");
		html_number(fp, c->years.undated);
		put(fp, ".</p>\n");
	}
}

/* Faults and agents ------------------------------------------------------ */

static void
faults(FILE *fp, struct count *c)
{
	if (has_records(c) && c->nfaults == 0 && c->lost == 0 &&
	    c->nresults == 0 && c->bad == 0 && c->clashes == 0)
		put(fp,
		    "<p>Nothing in the input was faulted or refused.</p>\n");
	table_of(fp, &c->faults, "Faults by reason",
	    "Reason|#In export or archive|In verdicts of kms-verify", 2);
	(void)listing(fp, c, LISTING_HOLDING);
	(void)listing(fp, c, LISTING_FAULTS);
	(void)listing(fp, c, LISTING_PASSED);
	(void)listing(fp, c, LISTING_LOST);
	table_of(fp, &c->results, "Results of ca-import",
	    "Status and reason|#Records", 1);
	(void)listing(fp, c, LISTING_REFUSED);
	if (c->clashes > 0) {
		put(fp, "<p><strong>");
		put_count(fp, c->clashes, "thumbprint stands",
		    "thumbprints stand");
		put(fp,
		    " for several certificates</strong> whose SHA-256 differ: "
		    "somebody made them so, and what is said here of one may "
		    "be true of the other.</p>\n");
	}
}

static int
agents_known(const struct count *c)
{
	return tally_rows(&c->agents) > 0;
}

static void
agents(FILE *fp, struct count *c)
{
	(void)listing(fp, c, LISTING_AGENTS);
	(void)listing(fp, c, LISTING_FEWER);
	(void)listing(fp, c, LISTING_SHUT);
}

/* Checks ----------------------------------------------------------------- */

enum mark { MARK_OK, MARK_WARN, MARK_BAD, MARK_NONE };

static const struct {
	const char *class, *path; /* of an icon, 24 wide */
} marks[] = {
	{ "ok", "M5 13l5 5L20 7" },
	{ "warn", "M12 4v10m0 4v2" },
	{ "bad", "M6 6l12 12M18 6L6 18" },
	{ "none", "M6 12h12" },
};

/* Writes a check: who made it, in what words, and the result. */
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

/* Writes a check of n of all keys.  none is for no such records. */
static void
check_some(FILE *fp, const char *what, const char *who, unsigned long long n,
    unsigned long long all, unsigned long long records, const char *none)
{
	char word[64];

	(void)snprintf(word, sizeof(word), "%llu of %llu keys", n, all);
	if (records == 0)
		check(fp, what, who, MARK_NONE, none);
	else if (all == 0)
		check(fp, what, who, MARK_NONE, "Nothing to compare");
	else
		check(fp, what, who, n == all ? MARK_OK : MARK_WARN, word);
}

/* Writes the keys that agents opened, once for each key and agent. */
static void
check_opened(FILE *fp, const struct count *c)
{
	unsigned long long n = c->nopened - c->shut;
	char word[96] = "Not in records";
	enum mark m = MARK_NONE;

	if (c->nopened > 0 && c->rows == 0)
		(void)snprintf(word, sizeof(word),
		    "%llu, but no rows that say of how many", n);
	else if (c->nopened > 0) {
		(void)snprintf(word, sizeof(word),
		    "%llu of %llu, each key with each agent", n, c->locks);
		m = n == c->locks ? MARK_OK : MARK_WARN;
	}
	check(fp, "Archived keys open, with each recovery agent",
	    "<code>ca-recover -r</code>", c->shut > 0 ? MARK_BAD : m, word);
}

static void
checks(FILE *fp, struct count *c)
{
	put(fp,
	    "<p><strong>This page proves nothing by itself.</strong> It "
	    "repeats what records say: it opened no seal and no archive, and "
	    "who could write its input could have it say anything. What was "
	    "checked, by whom:</p>\n");
	html_table(fp, NULL, "Checks", "Check|By|Result", 0);
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
	    "<code>ca-audit</code>",
	    c->naudits == 0    ? MARK_NONE :
		c->altered > 0 ? MARK_BAD :
				 MARK_OK,
	    c->naudits == 0    ? "Not in records" :
		c->altered > 0 ? "Altered" :
				 "Whole");
	check_opened(fp, c);
	html_table_end(fp);
}

static void
input(FILE *fp, struct count *c)
{
	put(fp,
	    "<p>SHA-256 of all that was read, as "
	    "<code>sha256sum</code> shows it:<br>");
	html_hex(fp, c->sha256, sizeof(c->sha256));
	put(fp, "<br>");
	put_count(fp, c->bytes, "byte", "bytes");
	put(fp, ", ");
	put_count(fp, c->lines, "line", "lines");
	put(fp, ", ");
	put_count(fp, c->ends, "closed stream", "closed streams");
	put(fp, "; ");
	put_count(fp, c->again, "record of a certificate that had come before",
	    "records of certificates that had come before");
	put(fp, "; ");
	put_count(fp, c->cas, "certificate of a CA", "certificates of CAs");
	put(fp, ".</p>\n");
	table_of(fp, &c->types, "Records by type", "Type|#Records", 1);
	(void)listing(fp, c, LISTING_STREAMS);
}

/* Writes a place to sign, with what is signed. */
static void
signatures(FILE *fp, struct count *c)
{
	static const char *const roles[] = { "KMS administrator",
		"CA administrator", "Auditor" };
	size_t i;

	put(fp, "<p>Of the input with SHA-256 ");
	html_hex(fp, c->sha256, sizeof(c->sha256));
	put(fp, ", and the archive with the audit head ");
	if (c->naudits > 0) {
		put(fp, "<code>");
		html_text(fp, c->audit_head, strlen(c->audit_head));
		put(fp, "</code>");
	} else
		put(fp,
		    "(not in the input: write it here) "
		    "<span class=\"blank\"></span>");
	put(fp, ":</p>\n");
	html_table(fp, NULL, "Signatures", "Role|Name|Date|Signature", 0);
	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		html_row(fp, "sign", roles[i], strlen(roles[i]));
		put(fp, "<td></td><td></td><td></td>");
		html_row_end(fp);
	}
	html_table_end(fp);
}

/* The first lines -------------------------------------------------------- */

/* Writes the first sentence. */
static enum mark
headline(FILE *fp, const struct count *c)
{
	unsigned long long gone = report_gone(c);

	if (gone > 0) {
		put(fp, "No record shows that ");
		html_number(fp, gone);
		put(fp, " of ");
		put_count(fp, c->exported, "exported key is",
		    "exported keys are");
		put(fp, " in the archive");
		return gone > c->place[PLACE_EARLIER] ? MARK_BAD : MARK_WARN;
	}
	if (c->altered > 0) {
		put(fp, "The archive was altered: ");
		html_text(fp, c->audit_why, strlen(c->audit_why));
		return MARK_BAD;
	}
	if (!report_clean(c) && has_records(c)) {
		put(fp, "Records were refused, bad or ambiguous");
		return MARK_BAD;
	}
	if (count_compares(c)) {
		if (c->exported > 1)
			put(fp, "All ");
		put_count(fp, c->exported, "exported key is",
		    "exported keys are");
		put(fp, " in the archive");
		return MARK_OK;
	}
	if (c->exported > 0) {
		put_count(fp, c->exported, "key", "keys");
		put(fp,
		    " exported; nothing here says whether they are "
		    "archived");
	} else if (c->rows > 0) {
		put_count(fp, c->rows, "key", "keys");
		put(fp, " in the archive, and no export to compare");
	} else if (c->imported > 0) {
		put_count(fp, c->imported, "key", "keys");
		put(fp, " imported, and no export to compare");
	} else
		put(fp, "No key in the input");
	return MARK_NONE;
}

static void
refusals(FILE *fp, const struct count *c)
{
	if (c->refused + c->bad > 0) {
		put_count(fp, c->refused, "certificate was",
		    "certificates were");
		put(fp, " refused and never archived, ");
		put_count(fp, c->bad, "record was", "records were");
		put(fp, " bad. ");
	}
	if (c->unnamed > 0) {
		put_count(fp, c->unnamed, "exported record has",
		    "exported records have");
		put(fp, " no thumbprint: what became of them is not known. ");
	}
	if (c->shut > 0) {
		put_count(fp, c->shut, "archived key", "archived keys");
		put(fp, " did not open with an agent. ");
	}
	if (c->strays > 0) {
		put_count(fp, c->strays, "record of a sealed stream is",
		    "records of sealed streams are");
		put(fp, " of types that no export has, and did not count. ");
	}
}

/* Begins a box, whose words go between <strong> and </strong>. */
static void
box(FILE *fp, enum mark m)
{
	(void)fprintf(fp,
	    "<div class=\"say %s\"><svg viewBox=\"0 0 24 24\" fill=\"none\" "
	    "stroke=\"currentColor\" stroke-width=\"2.5\" "
	    "stroke-linecap=\"round\" stroke-linejoin=\"round\" "
	    "aria-hidden=\"true\"><path d=\"%s\"/></svg>\n<p><strong>",
	    marks[m].class, marks[m].path);
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
	box(fp, m);
	(void)fprintf(fp, "%s</strong>\n", text);
	free(text);
	refusals(fp, c);
	put(fp,
	    "It is what the records say; see <a href=\"#checks\">what was "
	    "checked</a>.</p></div>\n");
	if (c->nfaults + c->lost > 0) {
		box(fp, MARK_WARN);
		if (c->nfaults > 0) {
			put_count(fp, c->nholding, "member", "members");
			put(fp, " that may hold keys could not be read");
		}
		if (c->lost > 0) {
			put(fp, c->nfaults > 0 ? ", " : "");
			put_count(fp, c->lost, "certificate is without its key",
			    "certificates are without their keys");
		}
		put(fp,
		    "</strong>\nSee <a href=\"#users\">whose they are</a> and "
		    "<a href=\"#faults\">why</a>.</p></div>\n");
	}
	if (c->old_agents + c->fewer > 0) {
		box(fp, MARK_WARN);
		if (c->old_agents > 0) {
			put_count(fp, c->old_agents,
			    "recovery agent has expired",
			    "recovery agents have expired");
			put(fp, c->fewer > 0 ? ", " : "");
		}
		if (c->fewer > 0) {
			put_count(fp, c->fewer, "key opens", "keys open");
			put(fp, " for fewer agents than the others");
		}
		put(fp,
		    "</strong>\nSee "
		    "<a href=\"#agents\">which</a>.</p></div>\n");
	}
}

static void
sum(FILE *fp, const char *name, const char *section, unsigned long long v,
    enum mark m)
{
	(void)fprintf(fp,
	    "<div><dt><a href=\"#%s\">%s</a></dt><dd class=\"%s\">", section,
	    name, v == 0 ? "" : marks[m].class);
	html_number(fp, v);
	put(fp, "</dd></div>\n");
}

/* Writes the sums that the input can give. */
static void
sums(FILE *fp, const struct count *c)
{
	put(fp, "<dl class=\"sums\">\n");
	if (users_known(c))
		sum(fp, "users", groups_known(c) ? "groups" : "users", c->users,
		    MARK_NONE);
	if (c->nexport > 0)
		sum(fp, "keys exported", "reconciliation", c->exported,
		    MARK_NONE);
	if (count_compares(c)) {
		sum(fp, "of them in the archive", "reconciliation",
		    c->place[PLACE_ARCHIVE], MARK_NONE);
		sum(fp, "of them not there", "reconciliation", report_gone(c),
		    MARK_BAD);
	} else {
		if (c->nrows > 0)
			sum(fp, "keys in rows of the archive", "reconciliation",
			    c->rows, MARK_NONE);
		if (c->nresults > 0)
			sum(fp, "keys imported", "faults", c->imported,
			    MARK_NONE);
	}
	if (c->nexport > 0)
		sum(fp, "faults in the backup", "faults", c->nfaults,
		    MARK_WARN);
	else if (c->nfaults > 0)
		sum(fp, "faults in the archive", "faults", c->nfaults,
		    MARK_WARN);
	else if (c->nresults > 0)
		sum(fp, "faults that ca-import passed on", "faults",
		    c->result_faults, MARK_WARN);
	if (users_known(c))
		sum(fp, "certificates without their key", "faults", c->lost,
		    MARK_WARN);
	if (c->nexport > 0)
		sum(fp, "signing keys, held back", "input", c->signing,
		    MARK_NONE);
	if (c->nresults > 0)
		sum(fp, "refused and never archived", "faults", c->refused,
		    MARK_BAD);
	put(fp, "</dl>\n");
}

/* The page --------------------------------------------------------------- */

static const struct section {
	const char *id, *heading;
	int (*known)(const struct count *); /* NULL: always there */
	void (*write)(FILE *, struct count *);
} sections[] = {
	{ "reconciliation", "Export and archive", NULL, reconciliation },
	{ "users", "Users to ask", users_known, users },
	{ "groups", "Administrative groups", groups_known, groups },
	{ "algorithms", "Algorithms and key sizes", keys_known, algorithms },
	{ "validity", "Validity of the certificates", keys_known, validity },
	{ "faults", "Faulted and refused", NULL, faults },
	{ "agents", "Recovery agents", agents_known, agents },
	{ "checks", "What was checked", NULL, checks },
	{ "input", "Input", NULL, input },
	{ "signatures", "Signatures", NULL, signatures },
};

void
report_write(FILE *fp, struct count *c)
{
	const struct section *end = sections +
	    sizeof(sections) / sizeof(sections[0]);
	const struct section *s;
	char title[64], foot[128] = "SHA-256 of the input: ";
	size_t i, n = strlen(foot);

	(void)snprintf(title, sizeof(title), "Key archive report, %.10s",
	    c->now);
	for (i = 0; i < sizeof(c->sha256); i++, n += 2)
		(void)snprintf(foot + n, 3, "%02x", c->sha256[i]);
	html_begin(fp, title, foot);
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
	put(fp, "<nav aria-label=\"Contents\"><ul>\n");
	for (s = sections; s < end; s++)
		if (s->known == NULL || s->known(c))
			(void)fprintf(fp, "<li><a href=\"#%s\">%s</a></li>\n",
			    s->id, s->heading);
	put(fp, "</ul></nav>\n");
	for (s = sections; s < end; s++)
		if (s->known == NULL || s->known(c)) {
			html_section(fp, s->id, s->heading);
			s->write(fp, c);
			html_section_end(fp);
		}
	put(fp,
	    "</main>\n<footer><p>This page needs no network and runs no "
	    "script. It holds names, serial numbers and thumbprints, and "
	    "no key.</p></footer>\n");
	html_end(fp);
}
