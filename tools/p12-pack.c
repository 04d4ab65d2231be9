/* p12-pack(1): recovered keys in, PKCS#12 out, one or one a user. */

#include <archive.h>
#include <archive_entry.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cert.h"
#include "input.h"
#include "msg.h"
#include "pack.h"
#include "prove.h"
#include "sandbox.h"
#include "secret.h"
#include "tool.h"

static const char usage[] = "[-lPqVv] [-F format] -p secret";

/* One file of the output. */
struct file {
	char *owner; /* group and user; "" without -F */
	char *name; /* in the archive, safe on Windows */
	struct pack pack;
};

struct packer {
	struct input in;
	const char *format; /* of -F */
	int legacy, status;
	void *byowner, *byname; /* trees of struct file */
	struct file **files;
	size_t nfiles;
};

static int
cmp_owner(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->owner,
	    ((const struct file *)b)->owner);
}

static int
cmp_name(const void *a, const void *b)
{
	return strcasecmp(((const struct file *)a)->name,
	    ((const struct file *)b)->name);
}

/* The trees do not own the files. */
static void
leave(void *file)
{
	(void)file;
}

/* A name out of letters, digits, dot, dash and underscore, not taken yet. */
static void
name_file(struct packer *p, struct file *f, const char *user)
{
	char stem[64], *s;
	int n = 1;

	(void)snprintf(stem, sizeof(stem), "%s", *user == '\0' ? "user" : user);
	for (s = stem; *s != '\0'; s++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
			   "YZ0123456789-_.",
			*s) == NULL ||
		    (s == stem && *s == '.'))
			*s = '_';
	do {
		free(f->name);
		if ((n == 1 ? asprintf(&f->name, "%s.p12", stem) :
			      asprintf(&f->name, "%s-%d.p12", stem, n)) == -1)
			tool_nomem();
		n++;
	} while (tfind(f, &p->byname, cmp_name) != NULL);
	if (tsearch(f, &p->byname, cmp_name) == NULL)
		tool_nomem();
}

/* The file that a record goes into. */
static struct file *
file_of(struct packer *p, const char *group, const char *user)
{
	struct file key, *f, **at, **v;

	if (asprintf(&key.owner, "%s/%s", p->format == NULL ? "" : group,
		p->format == NULL ? "" : user) == -1)
		tool_nomem();
	if ((at = tfind(&key, &p->byowner, cmp_owner)) != NULL) {
		free(key.owner);
		return *at;
	}
	f = calloc(1, sizeof(*f));
	v = realloc(p->files, (p->nfiles + 1) * sizeof(*v));
	if (f == NULL || v == NULL ||
	    !pack_init(&f->pack, p->in.secrets.v[0], p->legacy))
		tool_nomem();
	f->owner = key.owner;
	p->files = v;
	p->files[p->nfiles++] = f;
	if (tsearch(f, &p->byowner, cmp_owner) == NULL)
		tool_nomem();
	name_file(p, f, user);
	return f;
}

/* Packs the record at hand. */
static void
record(struct packer *p)
{
	const struct stream_in *s = p->in.stream;
	char *group, *user;
	struct cert *c = NULL;
	struct why w;
	size_t n;

	if (!rec_is(&s->rec, "key"))
		return;
	if (s->key == NULL)
		msg_die("stdin:%llu: a sealed stream: open it with ca-import, "
			"and recover from there",
		    s->rec.lineno);
	group = rec_text(&s->rec, "group", NULL);
	user = rec_text(&s->rec, "user", &n);
	if (group == NULL || user == NULL)
		msg_die("stdin:%llu: group or user is not base64",
		    s->rec.lineno);
	if (!prove_record(s, &c, &w) ||
	    !pack_add(&file_of(p, group, user)->pack, c, s->key, s->keylen,
		user, n, &w)) {
		p->status = 1;
		msg_record("stdin:%llu: record %llu: %s", s->rec.lineno, s->n,
		    w.detail);
	}
	cert_free(c);
	OPENSSL_free(group);
	OPENSSL_free(user);
}

static void
put_entry(struct archive *a, const char *name, const void *data, size_t n)
{
	struct archive_entry *e = archive_entry_new();

	if (e == NULL)
		tool_nomem();
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, (la_int64_t)n);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_mtime(e, time(NULL), 0);
	if (archive_write_header(a, e) != ARCHIVE_OK ||
	    archive_write_data(a, data, n) != (la_ssize_t)n)
		msg_die("cannot write the archive: %s",
		    archive_error_string(a));
	archive_entry_free(e);
}

/* What imports the files on a Windows CA: asks for the password. */
static char *
import_cmd(const struct packer *p, size_t *n)
{
	char *text;
	FILE *fp = open_memstream(&text, n);
	size_t i;

	if (fp == NULL)
		tool_nomem();
	(void)fprintf(fp,
	    "@echo off\r\nrem Imports the keys into the archive "
	    "of this CA.\r\nset /p PW=Password of the files: \r\n"
	    "certutil -setreg ca\\KRAFlags +KRAF_ENABLEFOREIGN || exit /b 1"
	    "\r\nnet stop certsvc && net start certsvc || exit /b 1\r\n");
	for (i = 0; i < p->nfiles; i++)
		(void)fprintf(fp,
		    "certutil -f -p \"%%PW%%\" -importKMS "
		    "\"%%~dp0%s\" || exit /b 1\r\n",
		    p->files[i]->name);
	if (fclose(fp) == EOF)
		tool_nomem();
	return text;
}

static void
write_archive(struct packer *p)
{
	struct archive *a = archive_write_new();
	struct why w;
	uint8_t *der;
	size_t i, n;
	char *cmd;

	if (a == NULL ||
	    (strcmp(p->format, "zip") == 0 ?
		    archive_write_set_format_zip(a) :
		    archive_write_set_format_pax_restricted(a)) != ARCHIVE_OK ||
	    archive_write_open_FILE(a, stdout) != ARCHIVE_OK)
		msg_die("cannot start the archive");
	for (i = 0; i < p->nfiles; i++) {
		if (!pack_der(&p->files[i]->pack, &der, &n, &w))
			msg_die("%s", w.detail);
		put_entry(a, p->files[i]->name, der, n);
		OPENSSL_free(der);
	}
	cmd = import_cmd(p, &n);
	put_entry(a, "import.cmd", cmd, n);
	free(cmd);
	if (archive_write_close(a) != ARCHIVE_OK)
		msg_die("cannot write the archive: %s",
		    archive_error_string(a));
	(void)archive_write_free(a);
}

static void
write_one(struct packer *p)
{
	struct why w;
	uint8_t *der;
	size_t n;

	if (!pack_der(&p->files[0]->pack, &der, &n, &w))
		msg_die("%s", w.detail);
	if (fwrite(der, 1, n, stdout) != n)
		tool_lost();
	OPENSSL_free(der);
}

static void
parse(struct packer *p, int argc, char *argv[])
{
	int c;

	while ((c = getopt(argc, argv, "+F:lPp:qVv")) != -1)
		if (c == 'F')
			p->format = optarg;
		else if (c == 'l')
			p->legacy = 1;
		else if (!input_option(&p->in, c) && !tool_option(c))
			tool_usage(usage);
	if (optind != argc || p->in.secrets.n == 0)
		tool_usage(usage);
	if (p->in.secrets.n != 1)
		msg_die("-p: exactly one password is needed to write, not %zu",
		    p->in.secrets.n);
	if (p->format != NULL && strcmp(p->format, "tar") != 0 &&
	    strcmp(p->format, "zip") != 0)
		msg_die("-F %s: not tar or zip", p->format);
}

int
main(int argc, char *argv[])
{
	struct packer p;
	enum stream_event ev;
	unsigned long long keys = 0;
	size_t i;

	tool_start();
	memset(&p, 0, sizeof(p));
	parse(&p, argc, argv);
	tool_no_terminal("binary data");
	input_open(&p.in, NULL, NULL);
	sandbox_enter(NULL);

	while ((ev = stream_next(p.in.stream)) > STREAM_EOF)
		if (ev == STREAM_REC)
			record(&p);
	if (ev == STREAM_BROKEN)
		input_broken(&p.in);
	for (i = 0; i < p.nfiles; i++)
		keys += p.files[i]->pack.nkeys;
	if (keys == 0) {
		msg_warn("no key in the input: nothing is written");
		p.status = 1;
	} else if (p.format != NULL)
		write_archive(&p);
	else
		write_one(&p);
	msg_verbose("files %zu, keys %llu", p.nfiles, keys);

	tdestroy(p.byowner, leave);
	tdestroy(p.byname, leave);
	for (i = 0; i < p.nfiles; i++) {
		pack_free(&p.files[i]->pack);
		free(p.files[i]->owner);
		free(p.files[i]->name);
		free(p.files[i]);
	}
	free(p.files);
	input_close(&p.in);
	return tool_end(p.status);
}
