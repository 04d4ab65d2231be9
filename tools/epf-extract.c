/* epf-extract(1): one Entrust or Outlook profile in, records out. */

#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/tool.h"
#include "export/onefile.h"
#include "file/epf.h"
#include "file/findings.h"

static const char usage[] = "[-qVv] [-p secret]...";

/* Writes all that the profile holds.  Returns the exit status. */
static int
extract(struct onefile *x)
{
	const struct findings *l = &x->items;
	const struct finding *it, *key;
	int status = 0, held = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		if (it->kind == FINDING_FAULT) {
			onefile_fault(x, &it->why);
			status = 1;
		}
		/* a key comes with its certificate: epf_read() saw to that */
		if (it->kind != FINDING_CERT)
			continue;
		key = findings_key0(l, it->id);
		if (key != NULL && strcmp(it->cert->use, "sign") == 0) {
			held++;
			key = NULL;
		}
		if (!onefile_put(x, it, key))
			status = 1;
	}
	if (held > 0)
		msg_record("stdin: %d signing keys are not written", held);
	return status;
}

int
main(int argc, char *argv[])
{
	struct onefile x;
	struct reason w;
	size_t spare = 0;
	int c, status = 1;

	tool_start();
	memset(&x, 0, sizeof(x));
	x.expected = "an Entrust or Outlook profile (.epf)";
	while ((c = getopt(argc, argv, "+:p:qVv")) != -1)
		if (c == 'p')
			onefile_secret(&x, optarg);
		else if (!tool_option(c))
			tool_usage(usage);
	if (optind != argc)
		tool_usage(usage);
	onefile_open(&x);

	if (epf_read(x.buf, x.n, &x.secrets, &x.items, &spare, &w))
		status = extract(&x);
	else
		onefile_fault(&x, &w);
	if (spare > 0)
		msg_verbose("stdin: %zu encrypted values stay closed, and no "
			    "certificate lacks its key",
		    spare);
	return onefile_close(&x, status);
}
