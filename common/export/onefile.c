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
	stream_fault(&x->out, source, NULL, w);
}

/* Writes a certificate with its key, or NULL.  Returns 0 after a fault. */
static int
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

/* Returns 1 if finding i is a certificate that came before. */
static int
onefile_copy(const struct findings *l, size_t i)
{
	size_t k;

	for (k = 0; k < i && l->v[i].kind == FINDING_CERT; k++)
		if (l->v[k].kind == FINDING_CERT &&
		    memcmp(l->v[k].cert->sha256, l->v[i].cert->sha256,
			sizeof(l->v[i].cert->sha256)) == 0)
			return 1;
	return 0;
}

int
onefile_write(struct onefile *x, int all, int signing)
{
	const struct findings *l = &x->items;
	const struct finding *it, *key;
	struct reason lone;
	int status = 0, left = 0, held = 0;
	size_t i;

	reason_set(&lone, "no-certificate",
	    "a private key without a certificate: give its certificate in a "
	    "PEM file to kms-export");
	for (i = 0; i < l->n; i++) {
		it = &l->v[i];
		if (onefile_copy(l, i))
			continue;
		if (it->kind == FINDING_CERT) {
			key = findings_key0(l, it->id);
			if (key == NULL && !all) {
				left++;
				continue;
			}
			if (key != NULL && !signing &&
			    strcmp(it->cert->use, "sign") == 0) {
				held++;
				key = NULL;
			}
			if (!onefile_put(x, it, key))
				status = 1;
		} else if (it->kind == FINDING_FAULT ||
		    !findings_has_cert(l, it->id)) {
			onefile_fault(x,
			    it->kind == FINDING_KEY ? &lone : &it->why);
			status = 1;
		}
	}
	if (left > 0)
		msg_record("stdin: %d certificates without a key are not "
			   "written (-a writes them)",
		    left);
	if (held > 0)
		msg_record("stdin: %d signing keys are not written", held);
	if (x->out.rec->n == 0) {
		msg_warn("stdin: nothing was found");
		status = 1;
	}
	return status;
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
