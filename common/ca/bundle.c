#include "ca/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/heap.h"
#include "base/text.h"
#include "base/tool.h"

#define PART_BYTES 100 /* of a group or a user in a path */
#define NAME_BYTES (2 * PART_BYTES + 32) /* of a path */

/* One file of the output: all of one person. */
struct bundle_file {
	uint8_t owner[32]; /* of group and user */
	char *name; /* its path in the archive, safe on Windows */
	char *person; /* for a message: group and user */
	char *pass; /* of its own, in secure memory, or NULL */
	unsigned long long keys;
	struct p12_write pack; /* with one PKCS#12 only the first has any */
};

static int
cmp_owner(const void *a, const void *b)
{
	return memcmp(((const struct bundle_file *)a)->owner,
	    ((const struct bundle_file *)b)->owner, 32);
}

/* Compares names without case, as Windows does, in any script. */
static int
cmp_name(const void *a, const void *b)
{
	wchar_t x[NAME_BYTES], y[NAME_BYTES];

	if (mbstowcs(x, ((const struct bundle_file *)a)->name, NAME_BYTES) ==
		(size_t)-1 ||
	    mbstowcs(y, ((const struct bundle_file *)b)->name, NAME_BYTES) ==
		(size_t)-1)
		abort(); /* name_part() writes UTF-8 only */
	return wcscasecmp(x, y);
}

/* Frees nothing, since the trees do not own the files. */
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

/*
 * Makes part of a path of any name: keeps letters and digits of any script, and
 * a few marks that no shell, cmd.exe or file system minds.
 */
static void
name_part(char part[PART_BYTES + 1], struct text t)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz@+"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t i, len, n = 0;

	for (i = 0; i < t.n; i += len) {
		len = 1;
		while (i + len < t.n && (t.s[i + len] & 0xc0) == 0x80)
			len++;
		if (n + len > PART_BYTES - 1)
			break;
		if (((unsigned char)t.s[i] >= 0x80 &&
			text_span(t.s + i, len) == len) ||
		    (len == 1 && t.s[i] != '\0' &&
			strchr(safe, t.s[i]) != NULL)) {
			memcpy(part + n, t.s + i, len);
			n += len;
		} else {
			part[n++] = '_';
		}
	}
	part[n] = '\0';
	/* hidden or an option if it began so; cut off if it ended so */
	if (*part == '.' || *part == '-')
		*part = '_';
	if (n > 0 && part[n - 1] == '.')
		part[n - 1] = '_';
	if (is_device(part)) {
		memmove(part + 1, part, n + 1);
		*part = '_';
	}
}

/* Names a file GROUP/USER.p12, with a number behind USER if that is taken. */
static void
name_file(struct bundle *b, struct bundle_file *f, struct text group,
    struct text user)
{
	static const struct text nobody = { "user", 4 };
	char dir[PART_BYTES + 1], stem[PART_BYTES + 1], more[16] = "";
	int n = 1;

	name_part(dir, group);
	name_part(stem, user.n == 0 ? nobody : user);
	do {
		free(f->name);
		if (n > 1)
			(void)snprintf(more, sizeof(more), "-%d", n);
		if (asprintf(&f->name, "%s%s%s%s.p12", dir,
			*dir == '\0' ? "" : "/", stem, more) == -1)
			heap_nomem();
		n++;
	} while (tfind(f, &b->byname, cmp_name) != NULL);
	if (tsearch(f, &b->byname, cmp_name) == NULL)
		heap_nomem();
}

/* Hashes group and user, which may hold any byte. */
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

/* Makes four groups of five unmistakable letters and digits: 100 bits. */
static char *
new_password(void)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[20];
	char *pass = OPENSSL_secure_malloc(24);
	size_t i, n = 0;

	if (pass == NULL || RAND_priv_bytes(random, sizeof(random)) != 1)
		heap_nomem();
	for (i = 0; i < sizeof(random); i++) {
		if (i > 0 && i % 5 == 0)
			pass[n++] = '-';
		pass[n++] = alphabet[random[i] % 32];
	}
	pass[n] = '\0';
	OPENSSL_cleanse(random, sizeof(random));
	return pass;
}

/* Returns the file of this person, a new one if there is none. */
static struct bundle_file *
file_of(struct bundle *b, struct text group, struct text user)
{
	struct bundle_file key, *f, **at, **v;
	char g[256], u[256];

	name_owner(key.owner, group, user);
	if ((at = tfind(&key, &b->byowner, cmp_owner)) != NULL)
		return *at;
	f = calloc(1, sizeof(*f));
	v = realloc(b->files, (b->nfiles + 1) * sizeof(*v));
	if (f == NULL || v == NULL)
		heap_nomem();
	memcpy(f->owner, key.owner, sizeof(f->owner));
	b->files = v;
	b->files[b->nfiles++] = f;
	if (tsearch(f, &b->byowner, cmp_owner) == NULL ||
	    asprintf(&f->person, "%s of group %s",
		text_vis(u, sizeof(u), user.s, user.n),
		text_vis(g, sizeof(g), group.s, group.n)) == -1)
		heap_nomem();
	if (b->format != NULL)
		name_file(b, f, group, user);
	if (b->own != NULL)
		f->pass = new_password();
	if (!p12_write_init(&f->pack, f->pass != NULL ? f->pass : b->pass,
		b->legacy))
		heap_nomem();
	return f;
}

/* Adds a certificate to index.tsv. */
static void
index_add(struct bundle *b, const struct bundle_file *f,
    const struct stream_rec *r)
{
	const struct text *v[] = { &r->group, &r->user, &r->mail };
	char vis[1024];
	size_t i;

	(void)fputs(f->name, b->index);
	for (i = 0; i < 3; i++)
		(void)fprintf(b->index, "\t%s",
		    text_vis(vis, sizeof(vis), v[i]->s, v[i]->n));
	(void)fprintf(b->index, "\t%s\t%s\t%s\t%s\n", r->cert->serial,
	    r->cert->not_before, r->cert->not_after,
	    r->key != NULL ? "yes" : "no");
}

void
bundle_init(struct bundle *b)
{
	if (b->format == NULL)
		return;
	if ((b->index = open_memstream(&b->text, &b->ntext)) == NULL)
		heap_nomem();
	(void)fputs("file\tgroup\tuser\tmail\tserial\tnot_before\tnot_after\t"
		    "key\n",
	    b->index);
}

int
bundle_add(struct bundle *b, const struct stream_rec *r, struct reason *w)
{
	struct bundle_file *f = file_of(b, r->group, r->user);
	struct p12_write *p = b->format != NULL ? &f->pack : &b->files[0]->pack;

	if (!p12_write_add(p, r->cert, r->key, r->keylen, r->user.s, r->user.n,
		w))
		return 0;
	if (b->format != NULL)
		index_add(b, f, r);
	if (r->key != NULL) {
		b->persons += f->keys++ == 0;
		b->keys++;
	}
	return 1;
}

void
bundle_persons(const struct bundle *b, void (*say)(const char *person))
{
	size_t i;

	for (i = 0; i < b->nfiles; i++)
		if (b->files[i]->keys > 0)
			say(b->files[i]->person);
}

int
bundle_passwords(const struct bundle *b)
{
	size_t i;

	for (i = 0; i < b->nfiles; i++)
		if (fprintf(b->own, "%s\t%s\n", b->files[i]->name,
			b->files[i]->pass) < 0)
			return 0;
	return fflush(b->own) == 0 &&
	    (fsync(fileno(b->own)) == 0 || errno == EINVAL);
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
 * The script that imports the files on a Windows CA.  It asks for the password,
 * and writes it as !PW!: cmd.exe looks for &, %, ^ and the like before it
 * expands that.  The names hold none of these.  An HRESULT is negative, which
 * `if errorlevel 1' does not see.
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
	char *text, name[NAME_BYTES], *slash;
	FILE *fp = open_memstream(&text, n);
	size_t i;

	if (fp == NULL)
		heap_nomem();
	(void)fputs(head, fp);
	for (i = 0; i < b->nfiles; i++) {
		if (b->files[i]->keys == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s", b->files[i]->name);
		if ((slash = strchr(name, '/')) != NULL)
			*slash = '\\';
		(void)fprintf(fp,
		    "certutil -f -p \"!PW!\" -importKMS \"%s\"\r\n" STOP, name);
	}
	(void)fputs(tail, fp);
	if (fclose(fp) == EOF)
		heap_nomem();
	return text;
}

/* Writes the files, their index, and import.cmd if one password opens all. */
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
	if (fclose(b->index) == EOF)
		heap_nomem();
	b->index = NULL;
	ok = ok && put_entry(a, "index.tsv", b->text, b->ntext);
	if (ok && b->own == NULL) {
		cmd = import_cmd(b, &n);
		ok = put_entry(a, "import.cmd", cmd, n);
		free(cmd);
	}
	ok = ok && archive_write_close(a) == ARCHIVE_OK;
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
		OPENSSL_secure_clear_free(b->files[b->nfiles]->pass, 24);
		free(b->files[b->nfiles]->person);
		free(b->files[b->nfiles]->name);
		free(b->files[b->nfiles]);
	}
	free(b->files);
	if (b->index != NULL)
		(void)fclose(b->index);
	free(b->text);
}
