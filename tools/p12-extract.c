/* p12-extract(1): one PKCS#12 file in, records out. */

#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/tool.h"
#include "export/onefile.h"
#include "file/findings.h"
#include "file/p12.h"

static const char usage[] = "[-aqVv] [-p secret]...";

/* Writes all that the file holds.  Returns the exit status. */
static int
extract(struct onefile *x, int all)
{
	const struct findings *l = &x->items;
	const struct finding *it, *key;
	struct reason lone;
	int status = 0, left = 0;
	size_t i;

	reason_set(&lone, "no-certificate",
	    "a private key without a "
	    "certificate: give its certificate in a PEM file to kms-export");
	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		if (it->kind == FINDING_CERT) {
			key = findings_key0(l, it->id);
			if (key == NULL && !all)
				left++;
			else if (!onefile_put(x, it, key))
				status = 1;
			continue;
		}
		if (it->kind == FINDING_KEY && findings_has_cert(l, it->id))
			continue;
		onefile_fault(x, it->kind == FINDING_KEY ? &lone : &it->why);
		status = 1;
	}
	if (left > 0)
		msg_record("stdin: %d certificates without a key are not "
			   "written (-a writes them)",
		    left);
	if (x->out.rec->n == 0) {
		msg_warn("stdin: nothing was found");
		status = 1;
	}
	return status;
}

int
main(int argc, char *argv[])
{
	struct onefile x;
	struct reason w;
	int c, all = 0, status = 1;

	tool_start();
	memset(&x, 0, sizeof(x));
	x.expected = "a PKCS#12 file";
	while ((c = getopt(argc, argv, "+:ap:qVv")) != -1)
		if (c == 'a')
			all = 1;
		else if (c == 'p')
			onefile_secret(&x, optarg);
		else if (!tool_option(c))
			tool_usage(usage);
	if (optind != argc)
		tool_usage(usage);
	onefile_open(&x);

	if (p12_read(x.buf, x.n, &x.secrets, &x.items, &w))
		status = extract(&x, all);
	else
		onefile_fault(&x, &w);
	return onefile_close(&x, status);
}
