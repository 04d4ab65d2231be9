#include "extract.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "cred.h"
#include "msg.h"
#include "pbe.h"
#include "sandbox.h"
#include "tool.h"
#include "who.h"

static const struct text source = { "stdin", 5 };

void
extract_secret(struct extract *x, const char *spec)
{
	struct why w;

	if (!secret_add(&x->secrets, spec, &w))
		msg_die("-p: %s", w.detail);
}

void
extract_open(struct extract *x)
{
	struct why w;

	tool_clear_keys();
	if (!stream_out_plain(&x->out, stdout))
		tool_nomem();
	sandbox_enter(NULL);
	x->buf = cred_slurp(STDIN_FILENO, CRED_FILE_MAX, &x->n, &w);
	if (x->buf == NULL)
		msg_die("stdin: %s", w.detail);
	if (x->n == 0)
		msg_die("stdin: empty input: expected %s", x->expected);
	pbe_start();
}

void
extract_fault(struct extract *x, const struct why *w)
{
	msg_record("stdin: %s", w->detail);
	stream_fault(&x->out, source, w);
}

int
extract_put(struct extract *x, const struct item *cert, const struct item *key)
{
	struct text name = { cert->name, cert->namelen };
	struct stream_rec e;
	uint8_t *p8 = NULL;
	int ok;

	memset(&e, 0, sizeof(e));
	e.cert = cert->cert;
	e.source = source;
	if (key != NULL) {
		e.key = p8 = item_key1(key, &e.keylen);
		if (name.n == 0) {
			name.s = key->name;
			name.n = key->namelen;
		}
	}
	who_cert(&e, cert->cert, name);
	e.guid = (struct text){ "", 0 };
	ok = stream_put(&x->out, &e);
	OPENSSL_secure_clear_free(p8, e.keylen);
	return ok;
}

int
extract_close(struct extract *x, int status)
{
	struct why w;

	if (!stream_close(&x->out, &w))
		msg_die("%s", w.detail);
	OPENSSL_clear_free(x->buf, x->n);
	items_free(&x->items);
	secret_free(&x->secrets);
	return tool_end(status);
}
