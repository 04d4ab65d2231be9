/* p12-extract(1): one PKCS#12 file in, records out. */

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cred.h"
#include "item.h"
#include "msg.h"
#include "p12.h"
#include "pbe.h"
#include "sandbox.h"
#include "secret.h"
#include "stream.h"
#include "tool.h"
#include "who.h"

static const char usage[] = "[-aqVv] [-p secret]...";

static const struct text source = { "stdin", 5 };

/* Writes a fault, and says so. */
static void
fault(struct stream_out *out, const struct why *w)
{
	msg_record("stdin: %s", w->detail);
	stream_fault(out, source, w);
}

/* A certificate, with its key if there is one.  0: a fault instead. */
static int
put(struct stream_out *out, const struct item *it, const struct item *key)
{
	struct text name = { it->name, it->namelen };
	struct stream_rec e;
	uint8_t *p8 = NULL;
	int ok;

	memset(&e, 0, sizeof(e));
	e.cert = it->cert;
	e.source = source;
	if (key != NULL) {
		e.key = p8 = item_key1(key, &e.keylen);
		if (name.n == 0) {
			name.s = key->name;
			name.n = key->namelen;
		}
	}
	who_cert(&e, it->cert, name);
	e.guid = (struct text){ "", 0 };
	ok = stream_put(out, &e);
	OPENSSL_secure_clear_free(p8, e.keylen);
	return ok;
}

/* Writes all that the file holds.  Returns the exit status. */
static int
extract(struct stream_out *out, const struct items *l, int all)
{
	const struct item *it, *key;
	struct why lone;
	int status = 0, left = 0;
	size_t i;

	why_set(&lone, "no-certificate",
	    "a private key without a "
	    "certificate: give its certificate in a PEM file to kms-export");
	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		if (it->kind == ITEM_CERT) {
			key = items_key0(l, it->id);
			if (key == NULL && !all)
				left++;
			else if (!put(out, it, key))
				status = 1;
			continue;
		}
		if (it->kind == ITEM_KEY && items_has_cert(l, it->id))
			continue;
		fault(out, it->kind == ITEM_KEY ? &lone : &it->why);
		status = 1;
	}
	if (left > 0)
		msg_record("stdin: %d certificates without a key are not "
			   "written (-a writes them)",
		    left);
	if (out->rec->n == 0) {
		msg_warn("stdin: nothing was found");
		status = 1;
	}
	return status;
}

int
main(int argc, char *argv[])
{
	struct secrets secrets = { NULL, 0, 0, NULL };
	struct items items = { NULL, 0 };
	struct stream_out out;
	struct why w;
	uint8_t *buf;
	size_t n;
	int c, all = 0, status = 0;

	tool_start();
	while ((c = getopt(argc, argv, "+:ap:qVv")) != -1)
		if (c == 'a')
			all = 1;
		else if (c == 'p') {
			if (!secret_add(&secrets, optarg, &w))
				msg_die("-p: %s", w.detail);
		} else if (!tool_option(c))
			tool_usage(usage);
	if (optind != argc)
		tool_usage(usage);
	tool_no_terminal("clear keys");
	if (!stream_out_plain(&out, stdout))
		tool_nomem();
	sandbox_enter(NULL);

	if ((buf = cred_slurp(STDIN_FILENO, CRED_FILE_MAX, &n, &w)) == NULL)
		msg_die("stdin: %s", w.detail);
	if (n == 0)
		msg_die("stdin: empty input: expected a PKCS#12 file");
	pbe_start();
	if (p12_read(buf, n, &secrets, &items, &w))
		status = extract(&out, &items, all);
	else {
		fault(&out, &w);
		status = 1;
	}
	if (!stream_close(&out, &w))
		msg_die("%s", w.detail);

	OPENSSL_clear_free(buf, n);
	items_free(&items);
	secret_free(&secrets);
	return tool_end(status);
}
