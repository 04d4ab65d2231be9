/* epf-extract(1): reads one Entrust or Outlook profile, writes records. */

#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "export/onefile.h"
#include "file/epf.h"

static const char usage[] = "[-qVv] [-p secret]...";

int
main(int argc, char *argv[])
{
	struct onefile x;
	struct reason w;
	int c, status = 1;

	tool_start();
	memset(&x, 0, sizeof(x));
	x.expected = "an Entrust or Outlook profile (.epf)";
	while ((c = tool_option(argc, argv, "p:", usage)) != -1)
		onefile_secret(&x, optarg);
	tool_no_operand(argc, argv, usage);
	onefile_open(&x);

	if (epf_read(x.buf, x.n, &x.secrets, &x.items, &w))
		status = onefile_write(&x, 1, 0);
	else
		onefile_fault(&x, &w);
	return onefile_close(&x, status);
}
