/* p12-extract(1): reads one PKCS#12 file, writes records. */

#include <string.h>
#include <unistd.h>

#include "base/tool.h"
#include "export/onefile.h"
#include "file/p12.h"
#include "file/pem.h"

static const char begin[] = "-----BEGIN PKCS12-----";

static const char usage[] = "[-aqVv] [-p secret]...";

int
main(int argc, char *argv[])
{
	struct onefile x;
	struct reason w;
	int c, all = 0, status = 1;

	tool_start();
	memset(&x, 0, sizeof(x));
	x.expected = "a PKCS#12 file";
	while ((c = tool_option(argc, argv, "ap:", usage)) != -1)
		if (c == 'a')
			all = 1;
		else
			onefile_secret(&x, optarg);
	tool_no_operand(argc, argv, usage);
	onefile_open(&x);

	/* certtool and gpgsm write it as PEM */
	if (memmem(x.buf, x.n, begin, strlen(begin)) != NULL &&
		    !p12_is(x.buf, x.n) ?
		pem_read(x.buf, x.n, &x.secrets, &x.items, &w) :
		p12_read(x.buf, x.n, &x.secrets, NULL, &x.items, &w))
		status = onefile_write(&x, all, 1);
	else
		onefile_fault(&x, &w);
	return onefile_close(&x, status);
}
