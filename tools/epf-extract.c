/* epf-extract(1): one Entrust or Outlook profile in, records out. */

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "cred.h"
#include "epf.h"
#include "item.h"
#include "msg.h"
#include "pbe.h"
#include "sandbox.h"
#include "secret.h"
#include "stream.h"
#include "tool.h"
#include "who.h"

static const char usage[] = "[-qVv] [-p secret]...";

static const struct text source = { "stdin", 5 };

/* Writes a fault, and says so. */
static void
fault(struct stream_out *out, const struct why *w)
{
	msg_record("stdin: %s", w->detail);
	stream_fault(out, source, w);
}

/* A certificate, with its key if it may travel.  0: a fault instead. */
static int
put(struct stream_out *out, const struct item *it, const struct item *key)
{
	struct text none = { NULL, 0 };
	struct stream_rec e;
	uint8_t *p8 = NULL;
	int ok;

	memset(&e, 0, sizeof(e));
	e.cert = it->cert;
	e.source = source;
	if (key != NULL)
		e.key = p8 = item_key1(key, &e.keylen);
	who_cert(&e, it->cert, none);
	e.guid = (struct text){ "", 0 };
	ok = stream_put(out, &e);
	OPENSSL_secure_clear_free(p8, e.keylen);
	return ok;
}

/* Writes all that the profile holds.  Returns the exit status. */
static int
extract(struct stream_out *out, const struct items *l)
{
	const struct item *it, *key;
	int status = 0, held = 0;
	size_t i;

	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		if (it->kind == ITEM_FAULT) {
			fault(out, &it->why);
			status = 1;
		}
		/* a key comes with its certificate: epf_read() saw to that */
		if (it->kind != ITEM_CERT)
			continue;
		key = items_key0(l, it->id);
		if (key != NULL && strcmp(it->cert->use, "sign") == 0) {
			held++;
			key = NULL;
		}
		if (!put(out, it, key))
			status = 1;
	}
	if (held > 0)
		msg_record("stdin: %d signing keys are not written", held);
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
	size_t n, spare;
	int c, status = 0;

	tool_start();
	while ((c = getopt(argc, argv, "+:p:qVv")) != -1)
		if (c == 'p') {
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
		msg_die("stdin: empty input: expected an Entrust or Outlook "
			"profile (.epf)");
	pbe_start();
	if (epf_read(buf, n, &secrets, &items, &spare, &w)) {
		status = extract(&out, &items);
		if (spare > 0)
			msg_verbose("stdin: %zu encrypted values stay closed, "
				    "and no certificate lacks its key",
			    spare);
	} else {
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
