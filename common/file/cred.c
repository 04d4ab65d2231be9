#include "file/cred.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/msg.h"
#include "file/file.h"
#include "record/read.h"

uint8_t *
cred_slurp(int fd, size_t max, size_t *n, struct reason *w)
{
	size_t cap = 64 * 1024;
	uint8_t *buf, *more;
	ssize_t got;

	*n = 0;
	if ((buf = OPENSSL_malloc(cap)) == NULL)
		goto nomem;
	while ((got = read(fd, buf + *n, cap - *n)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			reason_set(w, "input", "cannot read: %s",
			    strerror(errno));
			goto fail;
		}
		*n += (size_t)got;
		if (*n > max) {
			reason_set(w, "ceiling",
			    "larger than %zu bytes, the "
			    "ceiling",
			    max);
			goto fail;
		}
		if (*n < cap)
			continue;
		if ((more = OPENSSL_clear_realloc(buf, cap, 2 * cap)) == NULL)
			goto nomem;
		buf = more;
		cap *= 2;
	}
	return buf;
nomem:
	reason_set(w, "input", "out of memory");
fail:
	OPENSSL_clear_free(buf, cap);
	return NULL;
}

/* Builds the pair of one certificate; key may be NULL. */
static int
fill(struct cred_pair *p, const struct cert *c, const struct finding *key)
{
	const uint8_t *der;
	uint8_t *p8;
	size_t n;

	if ((p->cert = cert_x509(c)) == NULL)
		return 0;
	memcpy(p->sha1, c->sha1, sizeof(p->sha1));
	memcpy(p->sha256, c->sha256, sizeof(p->sha256));
	if (key == NULL)
		return 1;
	der = p8 = finding_key1(key, &n);
	p->key = d2i_AutoPrivateKey(NULL, &der, (long)n);
	OPENSSL_secure_clear_free(p8, n);
	return p->key != NULL;
}

/* Adds certificates with their keys first, then those without. */
static int
pair(struct cred *c, const struct findings *l)
{
	const struct finding *it, *key;
	struct cred_pair *v;
	size_t i;
	int want;

	if ((v = realloc(c->v, (c->n + l->n) * sizeof(*v))) == NULL)
		return 0;
	c->v = v;
	memset(v + c->n, 0, l->n * sizeof(*v));
	for (want = 1; want >= 0; want--)
		for (i = 0; i < l->n; i++) {
			it = &l->v[i];
			if (it->kind != FINDING_CERT)
				continue;
			key = findings_key0(l, it->id);
			if ((key != NULL) != want)
				continue;
			if (!fill(&c->v[c->n++], it->cert, key))
				return 0;
			c->nkeys += key != NULL;
		}
	return 1;
}

/* Warns of a file that gives its private key to others, without a password. */
static void
check_mode(int fd, const char *name, const uint8_t *buf, size_t n)
{
	struct secrets none = { 0 };
	struct findings l = { NULL, 0 };
	struct stat st;
	struct reason w;
	size_t i;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 044) == 0)
		return;
	(void)file_read(buf, n, &none, &l, &w);
	for (i = 0; i < l.n && l.v[i].kind != FINDING_KEY; i++)
		continue;
	if (i < l.n)
		msg_warn("warning: %s: holds a private key in the clear, and "
			 "others can read it: run chmod 600 on it",
		    name);
	findings_free(&l);
}

int
cred_read(struct cred *c, int fd, const char *name, int need_key,
    struct secrets *s, struct reason *w)
{
	struct findings l = { NULL, 0 };
	struct reason first;
	uint8_t *buf;
	size_t n, i, before = c->n;
	int rc = 0;

	buf = cred_slurp(fd, CRED_FILE_MAX, &n, &first);
	if (buf != NULL)
		check_mode(fd, name, buf, n);
	if (buf == NULL || !file_read(buf, n, s, &l, &first)) {
		reason_set(w, first.reason, "%s: %s", name, first.detail);
		goto out;
	}
	for (i = 0; i < l.n; i++)
		if (l.v[i].kind == FINDING_FAULT) {
			reason_set(w, l.v[i].why.reason, "%s: %s", name,
			    l.v[i].why.detail);
			goto out;
		}
	if (!pair(c, &l))
		reason_ssl(w, "credential", "%s: cannot use it", name);
	else if (c->n == before)
		reason_set(w, "credential", "%s: no certificate in it", name);
	else if (need_key && c->nkeys == 0)
		reason_set(w, "credential",
		    "%s: no certificate with its private "
		    "key in it",
		    name);
	else
		rc = 1;
out:
	OPENSSL_clear_free(buf, n);
	findings_free(&l);
	return rc;
}

int
cred_load(struct cred *c, const char *path, int need_key, struct secrets *s,
    struct reason *w)
{
	int fd, rc;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return reason_set(w, "credential", "%s: %s", path,
		    strerror(errno));
	rc = cred_read(c, fd, path, need_key, s, w);
	(void)close(fd);
	return rc;
}

void
cred_free(struct cred *c)
{
	while (c->n > 0) {
		c->n--;
		X509_free(c->v[c->n].cert);
		EVP_PKEY_free(c->v[c->n].key);
	}
	free(c->v);
	memset(c, 0, sizeof(*c));
}

const struct cred_pair *
cred_find0(const struct cred *c, const uint8_t sha256[32])
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (memcmp(c->v[i].sha256, sha256, 32) == 0)
			return &c->v[i];
	return NULL;
}

/* Without blanks and colons; returns its length, or 0: it is too long. */
static size_t
digits(char clean[65], const char *typed)
{
	size_t n = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ' || *typed == ':')
			continue;
		if (n == 64)
			return 0;
		clean[n++] = (char)tolower((unsigned char)*typed);
	}
	clean[n] = '\0';
	return n;
}

int
cred_whole_thumbprint(const char *typed)
{
	char clean[65];
	size_t n = digits(clean, typed);

	return n == 40 || n == 64;
}

int
cred_thumbprint(const struct cred_pair *p, const char *typed)
{
	char clean[65], sha1[41], sha256[65];
	size_t n = digits(clean, typed);

	if (n < 8)
		return 0;
	return (strncmp(rec_hex(sha1, p->sha1, 20), clean, n) == 0 ||
	    strncmp(rec_hex(sha256, p->sha256, 32), clean, n) == 0);
}
