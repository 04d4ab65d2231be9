/* kms-report(1): what records say, as a page to look at. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "proof/input.h"
#include "report/count.h"
#include "report/report.h"

static const char usage[] = "[-PqVv]";

/* The whole page, or none of it. */
static void
write_page(struct count *c)
{
	char *page;
	size_t n;
	FILE *fp = open_memstream(&page, &n);

	if (fp == NULL)
		heap_nomem();
	report_write(fp, c);
	if (fclose(fp) == EOF)
		heap_nomem();
	if (fwrite(page, 1, n, stdout) != n)
		tool_lost();
	free(page);
}

/* Says why the status is 1. */
static void
complain(const struct count *c)
{
	unsigned long long here = c->place[PLACE_ARCHIVE];

	if (c->lines == c->heads + c->ends)
		msg_warn("nothing but heads and ends in the input");
	if (count_compares(c) && here < c->exported)
		msg_warn("%llu of %llu exported keys are not shown to be in "
			 "the archive",
		    c->exported - here, c->exported);
	if (c->refused + c->bad > 0)
		msg_warn("%llu refused and never archived, %llu bad",
		    c->refused, c->bad);
	if (c->unnamed > 0)
		msg_warn("%llu exported records have no thumbprint",
		    c->unnamed);
	if (c->clashes > 0)
		msg_warn("%llu thumbprints stand for several certificates",
		    c->clashes);
}

int
main(int argc, char *argv[])
{
	struct count census;
	struct input in;
	enum stream_event ev;
	int c, status;

	tool_start();
	memset(&in, 0, sizeof(in));
	while ((c = getopt(argc, argv, "+:PqVv")) != -1)
		if ((c != 'P' || !input_option(&in, c)) && !tool_option(c))
			tool_usage(usage);
	if (optind != argc)
		tool_usage(usage);
	count_init(&census);
	census.part = in.part;
	input_open(&in, NULL, NULL);
	sandbox_enter(NULL);

	while ((ev = stream_next(in.stream)) > STREAM_EOF)
		count_event(&census, in.stream, ev);
	if (ev == STREAM_BROKEN)
		input_broken(&in);
	count_end(&census);
	write_page(&census);
	status = !report_clean(&census);
	if (status == 1)
		complain(&census);
	msg_verbose("records %llu, keys %llu, faults %llu",
	    census.lines - census.heads - census.ends, census.keys,
	    census.nfaults);

	count_free(&census);
	input_close(&in);
	return tool_end(status);
}
