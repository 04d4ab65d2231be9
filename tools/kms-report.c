/* kms-report(1): shows what records say, as a page. */

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

/* Writes the whole page, or none of it. */
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

/* Prints why the status is 1. */
static void
complain(const struct count *c)
{
	if (c->lines == c->heads + c->ends)
		msg_warn("the input holds no records, only stream heads and "
			 "ends");
	if (report_gone(c) > 0)
		msg_warn("no record shows that %llu of %llu exported keys are "
			 "in the archive",
		    report_gone(c), c->exported);
	if (c->refused + c->bad > 0)
		msg_warn("%llu refused and never archived, %llu bad",
		    c->refused, c->bad);
	if (c->unnamed > 0)
		msg_warn("%llu exported records have no thumbprint",
		    c->unnamed);
	if (c->clashes > 0)
		msg_warn("%llu thumbprints stand for several certificates",
		    c->clashes);
	if (c->shut > 0)
		msg_warn("%llu archived keys did not open with an agent",
		    c->shut);
	if (c->altered > 0)
		msg_warn("the archive was altered, says ca-audit");
	if (c->strays > 0)
		msg_warn("%llu records of sealed streams are of types that no "
			 "export has, and did not count",
		    c->strays);
}

int
main(int argc, char *argv[])
{
	struct count count;
	struct input in;
	enum stream_event ev;
	int c, status;

	tool_start();
	memset(&in, 0, sizeof(in));
	while ((c = tool_option(argc, argv, "P", usage)) != -1)
		input_option(&in, c);
	tool_no_operand(argc, argv, usage);
	count_init(&count);
	count.part = in.part;
	input_open(&in, NULL, NULL);
	sandbox_enter(NULL);

	while ((ev = stream_next(in.stream)) > STREAM_EOF)
		count_event(&count, in.stream, ev);
	if (ev == STREAM_BROKEN)
		input_broken(&in);
	count_end(&count);
	write_page(&count);
	status = !report_clean(&count);
	if (status == 1)
		complain(&count);
	msg_verbose("records %llu, keys %llu, faults %llu",
	    count.lines - count.heads - count.ends, count.keys, count.nfaults);

	count_free(&count);
	input_close(&in);
	return tool_end(status);
}
