#include "proof/input.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/progress.h"
#include "base/text.h"

void
input_option(struct input *in, int c)
{
	struct reason w;

	switch (c) {
	case 'C':
		in->signer = array_grow(in->signer, &in->room, in->nsigners + 1,
		    sizeof(*in->signer));
		in->signer[in->nsigners++] = optarg;
		break;
	case 'k':
		in->key = optarg;
		break;
	case 'P':
		in->part = 1;
		break;
	case 'p':
		if (!secret_open(optarg, &w))
			msg_die("-p: %s", w.detail);
		in->pass = array_grow(in->pass, &in->passroom, in->npass + 1,
		    sizeof(*in->pass));
		in->pass[in->npass++] = optarg;
		break;
	default:
		break;
	}
}

void
input_secrets(struct input *in)
{
	struct reason w;
	size_t i;

	for (i = 0; i < in->npass; i++)
		if (!secret_add(&in->secrets, in->pass[i], &w))
			msg_die("-p: %s", w.detail);
}

void
input_cred(struct input *in)
{
	struct reason w;
	size_t i;

	in->secrets.of = in->key;
	input_secrets(in);
	for (i = 0; i < in->nsigners; i++)
		if (!cred_load(&in->trusted, in->signer[i], 0, &in->secrets,
			&w))
			msg_die("-C: %s", w.detail);
	if (in->key != NULL && !cred_load(&in->k, in->key, 1, &in->secrets, &w))
		msg_die("-k: %s", w.detail);
	secret_free(&in->secrets);
}

void
input_open(struct input *in, const struct trust *k, const struct trust *trusted)
{
	in->in = rec_in_new(STDIN_FILENO);
	if (in->in != NULL)
		in->stream = stream_in_new(in->in, k, trusted, in->part);
	if (in->stream == NULL)
		heap_nomem();
	progress_start("records");
}

void
input_say(const struct stream_in *s, const char *fmt, ...)
{
	char what[2048], user[256], *own;
	struct text t;
	va_list ap;

	if (msg_level < 0)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	t = rec_text_own(&s->rec, "user", &own);
	msg_record("stdin:%llu: record %llu%s%s: %s", s->rec.lineno, s->n,
	    t.n == 0 ? "" : ", user ", text_vis(user, sizeof(user), t.s, t.n),
	    what);
	OPENSSL_free(own);
}

void
input_broken(const struct input *in)
{
	const struct stream_in *s = in->stream;

	(void)fflush(stdout);
	msg_die("stdin:%llu: %s%s", s->rec.lineno, s->why.detail,
	    strcmp(s->why.reason, "cut") == 0 ?
		", or take what is there with -P" :
		"");
}

void
input_close(struct input *in)
{
	stream_in_free(in->stream);
	rec_in_free(in->in);
	trust_free(&in->k);
	trust_free(&in->trusted);
	secret_free(&in->secrets);
	OPENSSL_free(in->signer);
	OPENSSL_free(in->pass);
}
