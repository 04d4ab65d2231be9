/* The page that shows records: whatever they say, it is a page. */

#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Nothing of the input is a script, a control character or the end of it. */
static void
check(const char *page, size_t n)
{
	static const char end[] = "</html>\n";
	size_t i;

	fuzz_must(n > strlen(end) &&
		memcmp(page + n - strlen(end), end, strlen(end)) == 0,
	    "a page has an end");
	fuzz_must(strstr(page, "<script") == NULL, "a page has no script");
	for (i = 0; i < n; i++)
		fuzz_must((unsigned char)page[i] >= ' ' || page[i] == '\n',
		    "a page has no control characters");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rec_in *in = rec_in_mem(p, n);
	struct stream_in *s = stream_in_new(in, NULL, NULL, 1);
	enum stream_event ev;
	struct count c;
	char *page = NULL;
	size_t len = 0;
	FILE *fp;

	count_init(&c);
	c.part = 1;
	while ((ev = stream_next(s)) > STREAM_EOF)
		count_event(&c, s, ev);
	count_end(&c);
	fp = open_memstream(&page, &len);
	report_write(fp, &c);
	(void)fclose(fp);
	check(page, len);
	free(page);
	count_free(&c);
	stream_in_free(s);
	rec_in_free(in);
	return 0;
}
