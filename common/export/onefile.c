#include "export/onefile.h"

#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/tool.h"
#include "export/owner.h"
#include "file/cred.h"
#include "lock/budget.h"

static const struct text source = { "stdin", 5 };

void
onefile_secret(struct onefile *x, const char *spec)
{
	struct reason w;

	if (!secret_add(&x->secrets, spec, &w))
		msg_die("-p: %s", w.detail);
}

void
onefile_open(struct onefile *x)
{
	struct reason w;

	tool_clear_keys();
	if (!stream_out_plain(&x->out, stdout))
		heap_nomem();
	sandbox_enter(NULL);
	x->buf = io_slurp(STDIN_FILENO, CRED_FILE_MAX, &x->n, &w);
	if (x->buf == NULL)
		msg_die("stdin: %s", w.detail);
	if (x->n == 0)
		msg_die("stdin: empty input: expected %s", x->expected);
	budget_start();
}

void
onefile_fault(struct onefile *x, const struct reason *w)
{
	msg_record("stdin: %s", w->detail);
	stream_fault(&x->out, source, w);
}

int
onefile_put(struct onefile *x, const struct finding *cert,
    const struct finding *key)
{
	struct text name = { cert->name, cert->namelen };
	struct stream_rec e;
	uint8_t *p8 = NULL;
	int ok;

	memset(&e, 0, sizeof(e));
	e.cert = cert->cert;
	e.source = source;
	if (key != NULL) {
		e.key = p8 = finding_key1(key, &e.keylen);
		if (name.n == 0) {
			name.s = key->name;
			name.n = key->namelen;
		}
	}
	owner_cert(&e, cert->cert, name);
	e.guid = (struct text){ "", 0 };
	ok = stream_put(&x->out, &e);
	OPENSSL_secure_clear_free(p8, e.keylen);
	return ok;
}

int
onefile_close(struct onefile *x, int status)
{
	struct reason w;

	if (!stream_close(&x->out, &w))
		msg_die("%s", w.detail);
	OPENSSL_clear_free(x->buf, x->n);
	findings_free(&x->items);
	secret_free(&x->secrets);
	return tool_end(status);
}
