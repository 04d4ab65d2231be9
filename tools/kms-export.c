/* kms-export(1): reads a backup, writes a sealed and signed stream. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/msg.h"
#include "base/progress.h"
#include "base/sandbox.h"
#include "base/secret.h"
#include "base/tool.h"
#include "base/workers.h"
#include "export/export.h"
#include "export/readers.h"
#include "file/cred.h"
#include "lock/budget.h"
#include "unpack/unpack.h"

static const char usage[] =
    "[-qVvx] -c cert [-g group]... [-i charset] [-j jobs] [-L limit=value]... "
    "[-m map]\n\t[-p secret]... [-S cred] [-t thumb] [-u user]...";

/* The recipient of the stream, and its signer. */
struct ends {
	const char *to_path, *signer_path, *thumb;
	struct trust to, signer;
};

/* Returns -c's certificate: the only one, the one with a key, or -t's. */
static const struct trust_pair *
recipient(const struct ends *e)
{
	const struct trust *c = &e->to;
	size_t i;

	for (i = 0; e->thumb != NULL && i < c->n; i++)
		if (trust_thumbprint(&c->v[i], e->thumb))
			return &c->v[i];
	if (e->thumb != NULL)
		msg_die("-t %s is not the thumbprint of %s: give at least its "
			"first 8 characters, or the right certificate",
		    e->thumb, e->to_path);
	if (c->n > 1 && c->nkeys != 1)
		msg_die("-c: %s holds %zu certificates: say which with -t",
		    e->to_path, c->n);
	return &c->v[0];
}

/* Loads a credential; *kept is the password that opened it, or NULL. */
static void
load(struct trust *c, char option, const char *path, struct secrets *s,
    const char **kept)
{
	struct reason w;

	s->worked = 0;
	if (!cred_load(c, path, option == 'S', s, &w))
		msg_die("-%c: %s", option, w.detail);
	*kept = s->worked ? s->v[s->last] : NULL;
}

/* Loads -c and -S.  Returns the signer; the stream is sealed to *to. */
static const struct trust_pair *
load_ends(struct ends *e, struct export *x, const struct trust_pair **to)
{
	load(&e->to, 'c', e->to_path, x->secrets, &x->kept[0]);
	*to = recipient(e);
	if (e->signer_path == NULL && (*to)->key == NULL)
		msg_die("-c: %s: no private key to sign with: give the "
			"exporter's own with -S",
		    e->to_path);
	if (e->signer_path == NULL)
		return *to;
	load(&e->signer, 'S', e->signer_path, x->secrets, &x->kept[1]);
	return &e->signer.v[0];
}

static void
parse(int argc, char *argv[], struct export *x, struct ends *e,
    struct unpack_limits *limits, const char *map[1], const char **secret,
    unsigned *jobs)
{
	struct reason w;
	size_t nsecret = 0;
	int c;

	while (
	    (c = tool_option(argc, argv, "c:g:i:j:L:m:p:S:t:u:x", usage)) != -1)
		switch (c) {
		case 'c':
			e->to_path = optarg;
			break;
		case 'g':
			x->choose.group[x->choose.ngroup++] = optarg;
			break;
		case 'i':
			charset_free(x->choose.charset);
			x->choose.charset = charset_new(optarg, &w);
			if (x->choose.charset == NULL)
				msg_die("%s", w.detail);
			break;
		case 'j':
			workers_jobs(optarg, jobs);
			break;
		case 'L':
			if (!unpack_limit(limits, optarg, &w))
				msg_die("%s", w.detail);
			break;
		case 'm':
			map[0] = optarg;
			break;
		case 'p':
			if (!secret_open(optarg, &w))
				msg_die("-p: %s", w.detail);
			secret[nsecret++] = optarg;
			break;
		case 'S':
			e->signer_path = optarg;
			break;
		case 't':
			e->thumb = optarg;
			break;
		case 'u':
			x->choose.user[x->choose.nuser++] = optarg;
			break;
		case 'x':
			x->choose.carve = limits->pieces = 1;
			break;
		default:
			break;
		}
	tool_no_operand(argc, argv, usage);
	if (e->to_path == NULL)
		tool_misused(usage,
		    "-c cert is missing: the certificate to seal to");
}

int
main(int argc, char *argv[])
{
	struct unpack_limits limits = unpack_defaults;
	struct secrets secrets = { 0 };
	const char **secret, *map[1] = { NULL };
	struct export x;
	struct ends e;
	struct unpack walk;
	struct reason w;
	const struct trust_pair *signer, *to;
	unsigned jobs = workers_processors();
	int status, i;

	tool_start();
	memset(&e, 0, sizeof(e));
	export_init(&x, (size_t)argc);
	if ((secret = calloc((size_t)argc, sizeof(*secret))) == NULL)
		heap_nomem();
	parse(argc, argv, &x, &e, &limits, map, secret, &jobs);
	budget_seconds(limits.kdf, limits.kdfs);
	/* the child must be there before any secret is */
	if (!unpack_start(&walk, STDIN_FILENO, &limits, &w))
		msg_die("%s", w.detail);
	for (i = 0; secret[i] != NULL; i++)
		if (!secret_add(&secrets, secret[i], &w))
			msg_die("-p: %s", w.detail);
	x.secrets = &secrets;
	if (map[0] != NULL && !pathmap_load(&x.choose.map, map[0], &w))
		msg_die("-m: %s", w.detail);
	/* they have passwords, and no key; -x needs the member itself */
	if (!x.choose.carve)
		x.readers = readers_new(jobs, &secrets, &x.choose.map);
	signer = load_ends(&e, &x, &to);
	export_open(&x);
	progress_start("members");
	sandbox_enter(NULL);

	status = export_run(&x, &walk, to, signer);

	unpack_stop(&walk);
	export_free(&x);
	trust_free(&e.to);
	trust_free(&e.signer);
	secret_free(&secrets);
	free(secret);
	return tool_end(status);
}
