#include "ca/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/heap.h"
#include "base/tool.h"

/* One file of the output. */
struct bundle_file {
	uint8_t owner[32]; /* of group and user; zero for one PKCS#12 */
	char *name; /* in the archive, safe on Windows */
	unsigned long long keys;
	struct p12_write pack;
};

static int
cmp_owner(const void *a, const void *b)
{
	return memcmp(((const struct bundle_file *)a)->owner,
	    ((const struct bundle_file *)b)->owner, 32);
}

/* Windows does not tell upper from lower case. */
static int
cmp_name(const void *a, const void *b)
{
	return strcasecmp(((const struct bundle_file *)a)->name,
	    ((const struct bundle_file *)b)->name);
}

/* The trees do not own the files. */
static void
leave(void *file)
{
	(void)file;
}

/* Returns 1 if Windows takes a file of this name, .p12 or not, for a device. */
static int
is_device(const char *s)
{
	size_t n = strcspn(s, ".");

	if (n == 3)
		return strncasecmp(s, "con", n) == 0 ||
		    strncasecmp(s, "prn", n) == 0 ||
		    strncasecmp(s, "aux", n) == 0 ||
		    strncasecmp(s, "nul", n) == 0;
	return n == 4 && s[3] >= '0' && s[3] <= '9' &&
	    (strncasecmp(s, "com", 3) == 0 || strncasecmp(s, "lpt", 3) == 0);
}

/* A name out of letters, digits, dot, dash and underscore, not taken yet. */
static void
name_file(struct bundle *b, struct bundle_file *f, const char *user)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	char stem[64], *s;
	int n = 1, len;

	(void)snprintf(stem, sizeof(stem), "%s%s", is_device(user) ? "_" : "",
	    *user == '\0' ? "user" : user);
	/* hidden, or an option, if it began so */
	if (*stem == '.' || *stem == '-')
		*stem = '_';
	for (s = stem; *s != '\0'; s++)
		if (strchr(safe, *s) == NULL)
			*s = '_';
	do {
		free(f->name);
		len = n == 1 ? asprintf(&f->name, "%s.p12", stem) :
			       asprintf(&f->name, "%s-%d.p12", stem, n);
		if (len == -1)
			heap_nomem();
		n++;
	} while (tfind(f, &b->byname, cmp_name) != NULL);
	if (tsearch(f, &b->byname, cmp_name) == NULL)
		heap_nomem();
}

/* SHA-256 of group and user, which may hold any byte. */
static void
name_owner(uint8_t owner[32], struct text group, struct text user)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md == NULL || !EVP_DigestInit_ex(md, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(md, &group.n, sizeof(group.n)) ||
	    !EVP_DigestUpdate(md, group.s, group.n) ||
	    !EVP_DigestUpdate(md, user.s, user.n) ||
	    !EVP_DigestFinal_ex(md, owner, NULL))
		heap_nomem();
	EVP_MD_CTX_free(md);
}

/* The file of this user: a new one if there is none. */
static struct bundle_file *
file_of(struct bundle *b, struct text group, struct text user)
{
	struct bundle_file key, *f, **at, **v;

	name_owner(key.owner, group, user);
	if (b->format == NULL) {
		if (b->nfiles == 0)
			memcpy(b->first, key.owner, sizeof(b->first));
		b->mixed |= memcmp(key.owner, b->first, sizeof(b->first)) != 0;
		memset(key.owner, 0, sizeof(key.owner));
	}
	if ((at = tfind(&key, &b->byowner, cmp_owner)) != NULL)
		return *at;
	f = calloc(1, sizeof(*f));
	v = realloc(b->files, (b->nfiles + 1) * sizeof(*v));
	if (f == NULL || v == NULL ||
	    !p12_write_init(&f->pack, b->pass, b->legacy))
		heap_nomem();
	memcpy(f->owner, key.owner, sizeof(f->owner));
	b->files = v;
	b->files[b->nfiles++] = f;
	if (tsearch(f, &b->byowner, cmp_owner) == NULL)
		heap_nomem();
	name_file(b, f, user.s);
	return f;
}

int
bundle_add(struct bundle *b, struct text group, struct text user,
    const struct cert *c, const uint8_t *p8, size_t p8len, struct reason *w)
{
	struct bundle_file *f = file_of(b, group, user);

	if (!p12_write_add(&f->pack, c, p8, p8len, user.s, user.n, w))
		return 0;
	f->keys += p8 != NULL;
	b->keys += p8 != NULL;
	return 1;
}

static int
put_entry(struct archive *a, const char *name, const void *data, size_t n)
{
	struct archive_entry *e = archive_entry_new();
	int rc;

	if (e == NULL)
		heap_nomem();
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, (la_int64_t)n);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_mtime(e, time(NULL), 0);
	rc = archive_write_header(a, e) == ARCHIVE_OK &&
	    archive_write_data(a, data, n) == (la_ssize_t)n;
	archive_entry_free(e);
	return rc;
}

/*
 * What imports the files on a Windows CA.  It asks for the password, and from
 * then on writes it !PW!: cmd.exe looks for &, %, ^ and the like before it puts
 * in what stands between these.  The names hold none of that.  An HRESULT is
 * negative, which `if errorlevel 1' does not see.
 */
#define STOP "if not !errorlevel! == 0 goto failed\r\n"

static char *
import_cmd(const struct bundle *b, size_t *n)
{
	static const char head[] =
	    "@echo off\r\n"
	    "rem Imports these keys into the archive of this CA, as its "
	    "manager.\r\n"
	    "setlocal EnableExtensions DisableDelayedExpansion\r\n"
	    "pushd \"%~dp0\"\r\n"
	    "if errorlevel 1 exit /b 1\r\n"
	    "set \"PW=\"\r\n"
	    "set /p \"PW=Password of the files: \"\r\n"
	    "cls\r\n"
	    "setlocal EnableDelayedExpansion\r\n"
	    "certutil -setreg ca\\KRAFlags +KRAF_ENABLEFOREIGN\r\n" STOP
	    "net stop certsvc\r\n"
	    "net start certsvc\r\n" STOP;
	static const char tail[] =
	    "echo All files are imported.\r\n"
	    "popd\r\n"
	    "exit /b 0\r\n"
	    ":failed\r\n"
	    "echo Stopped: see the message above.  Files before that one are "
	    "imported:\r\n"
	    "echo take their lines out of import.cmd and run it again.\r\n"
	    "popd\r\n"
	    "exit /b 1\r\n";
	char *text;
	FILE *fp = open_memstream(&text, n);
	size_t i;

	if (fp == NULL)
		heap_nomem();
	(void)fputs(head, fp);
	for (i = 0; i < b->nfiles; i++)
		if (b->files[i]->keys > 0)
			(void)fprintf(fp,
			    "certutil -f -p \"!PW!\" -importKMS \"%s\"\r\n" STOP,
			    b->files[i]->name);
	(void)fputs(tail, fp);
	if (fclose(fp) == EOF)
		heap_nomem();
	return text;
}

/* The files, then import.cmd. */
static int
put_all(struct bundle *b, struct archive *a, struct reason *w)
{
	uint8_t *der;
	size_t i, n;
	char *cmd;
	int ok = 1;

	for (i = 0; ok && i < b->nfiles; i++) {
		if (!p12_write_der(&b->files[i]->pack, &der, &n, w))
			return 0;
		ok = put_entry(a, b->files[i]->name, der, n);
		OPENSSL_free(der);
	}
	cmd = import_cmd(b, &n);
	ok = ok && put_entry(a, "import.cmd", cmd, n) &&
	    archive_write_close(a) == ARCHIVE_OK;
	free(cmd);
	return ok ||
	    reason_set(w, "output", "cannot write the archive: %s",
		archive_error_string(a));
}

static int
write_archive(struct bundle *b, struct reason *w)
{
	struct archive *a = archive_write_new();
	int rc;

	if (a == NULL)
		heap_nomem();
	rc = strcmp(b->format, "zip") == 0 ?
	    archive_write_set_format_zip(a) :
	    archive_write_set_format_pax_restricted(a);
	/* stdout has a buffer and a check of its own */
	if (rc != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open_FILE(a, stdout) != ARCHIVE_OK)
		rc = reason_set(w, "output", "cannot start the archive");
	else
		rc = put_all(b, a, w);
	(void)archive_write_free(a);
	return rc;
}

int
bundle_write(struct bundle *b, struct reason *w)
{
	uint8_t *der;
	size_t n;

	if (b->format != NULL)
		return write_archive(b, w);
	if (!p12_write_der(&b->files[0]->pack, &der, &n, w))
		return 0;
	if (fwrite(der, 1, n, stdout) != n)
		tool_lost();
	OPENSSL_free(der);
	return 1;
}

void
bundle_free(struct bundle *b)
{
	tdestroy(b->byowner, leave);
	tdestroy(b->byname, leave);
	while (b->nfiles > 0) {
		b->nfiles--;
		p12_write_free(&b->files[b->nfiles]->pack);
		free(b->files[b->nfiles]->name);
		free(b->files[b->nfiles]);
	}
	free(b->files);
}
