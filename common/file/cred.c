#include "file/cred.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/io.h"
#include "base/msg.h"
#include "file/file.h"

/* Builds the pair of one certificate; key may be NULL. */
static int
cred_fill(struct trust_pair *p, const struct cert *c, const struct finding *key)
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
cred_pair(struct trust *c, const struct findings *l)
{
	const struct finding *it, *key;
	struct trust_pair *v;
	size_t i;
	int want;

	if ((v = realloc(c->v, (c->n + l->n) * sizeof(*v))) == NULL)
		heap_nomem();
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
			if (!cred_fill(&c->v[c->n++], it->cert, key))
				return 0;
			c->nkeys += key != NULL;
		}
	return 1;
}

/* Warns of a file that shows others its private key without a password. */
static void
cred_check_mode(int fd, const char *name, const uint8_t *buf, size_t n)
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
cred_read(struct trust *c, int fd, const char *name, int need_key,
    struct secrets *s, struct reason *w)
{
	struct findings l = { NULL, 0 };
	struct reason first;
	uint8_t *buf;
	size_t n, i, before = c->n;
	int rc = 0;

	buf = io_slurp(fd, CRED_FILE_MAX, &n, &first);
	if (buf != NULL)
		cred_check_mode(fd, name, buf, n);
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
	if (!cred_pair(c, &l))
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
cred_load(struct trust *c, const char *path, int need_key, struct secrets *s,
    struct reason *w)
{
	int fd, rc;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1)
		return reason_set(w, "credential", "%s: %s", path,
		    strerror(errno));
	do
		rc = cred_read(c, fd, path, need_key, s, w);
	while (!rc && s->of == path && lseek(fd, 0, SEEK_SET) == 0 &&
	    secret_again(s, w));
	if (s->of == path)
		secret_done();
	(void)close(fd);
	return rc;
}
