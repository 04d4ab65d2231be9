#include "export/pathmap.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/heap.h"
#include "base/io.h"
#include "base/secret.h"
#include "record/read.h"

#define PATHMAP_HASH 16 /* bytes of a SHA-256 */

/* A line without wildcards. */
struct pathmap_path {
	uint8_t hash[PATHMAP_HASH]; /* of the path */
	size_t line; /* from 1; of several the first */
};

static void
pathmap_hash(uint8_t hash[PATHMAP_HASH], const char *path)
{
	uint8_t md[32];

	if (!EVP_Digest(path, strlen(path), md, NULL, EVP_sha256(), NULL))
		heap_nomem();
	memcpy(hash, md, PATHMAP_HASH);
}

/* Indexes the last line. */
static void
pathmap_index(struct pathmap *m)
{
	struct pathmap_line *v = &m->v[m->n - 1];
	struct pathmap_path *p;
	uint8_t hash[PATHMAP_HASH];

	v->exact = strpbrk(v->glob, "*?[\\") == NULL;
	if (!v->exact) {
		m->glob = array_grow(m->glob, &m->glob_room, m->nglobs + 1,
		    sizeof(*m->glob));
		m->glob[m->nglobs++] = m->n - 1;
		return;
	}
	pathmap_hash(hash, v->glob);
	p = table_get0(&m->exact, hash);
	if (p->line == 0)
		p->line = m->n;
}

static int
pathmap_known(const struct rec_field *f)
{
	static const char *const labels[] = { "rec", "path", "group", "user",
		"mail", "guid", "pass" };
	size_t i, n = f->llen;

	if (n > 4 && memcmp(f->label + n - 4, "_b64", 4) == 0)
		n -= 4;
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strlen(labels[i]) == n &&
		    memcmp(labels[i], f->label, n) == 0)
			return 1;
	return 0;
}

static struct text
pathmap_take(const struct rec *r, const char *label)
{
	struct text t = { NULL, 0 };

	t.s = rec_text(r, label, &t.n);
	return t;
}

/* Adds a line of the map, which was read as a record. */
static int
pathmap_add(struct pathmap *m, const struct rec *r, struct reason *w)
{
	struct pathmap_line *v;
	char *pass;
	size_t i, n;

	for (i = 0; i < r->nfields; i++)
		if (!pathmap_known(&r->field[i]))
			return reason_set(w, "map",
			    "line %llu: unknown label "
			    "%.*s (known: path group user mail guid pass)",
			    r->lineno, (int)r->field[i].llen,
			    r->field[i].label);
	m->v = array_grow(m->v, &m->room, m->n + 1, sizeof(*v));
	v = m->v + m->n;
	memset(v, 0, sizeof(*v));
	if ((v->glob = rec_text(r, "path", NULL)) == NULL)
		return reason_set(w, "map", "line %llu: no path:", r->lineno);
	m->n++;
	pathmap_index(m);
	v->group = pathmap_take(r, "group");
	v->user = pathmap_take(r, "user");
	v->mail = pathmap_take(r, "mail");
	v->guid = pathmap_take(r, "guid");
	if ((pass = rec_text(r, "pass", &n)) == NULL)
		return 1;
	if (n > SECRET_MAX) {
		OPENSSL_clear_free(pass, n + 1);
		return reason_set(w, "map",
		    "line %llu: pass is longer than %d bytes", r->lineno,
		    SECRET_MAX);
	}
	if ((v->pass = OPENSSL_secure_malloc(n + 1)) == NULL)
		heap_nomem();
	memcpy(v->pass, pass, n + 1);
	OPENSSL_clear_free(pass, n + 1);
	return 1;
}

/* Returns the file with `rec:map' before each line, to share a parser. */
static uint8_t *
pathmap_as_records(const uint8_t *p, size_t n, size_t *len)
{
	size_t i, lines = 1;
	uint8_t *out, *q;
	int start = 1;

	for (i = 0; i < n; i++)
		lines += p[i] == '\n';
	if ((out = q = OPENSSL_malloc(n + 8 * lines + 1)) == NULL)
		heap_nomem();
	for (i = 0; i < n; i++) {
		if (p[i] == '\r' && (i + 1 == n || p[i + 1] == '\n'))
			continue;
		if (start) {
			memcpy(q, "rec:map\t", 8);
			q += 8;
		}
		*q++ = p[i];
		start = p[i] == '\n';
	}
	if (!start)
		*q++ = '\n';
	*len = (size_t)(q - out);
	return out;
}

int
pathmap_load(struct pathmap *m, const char *path, struct reason *w)
{
	uint8_t *raw = NULL, *recs = NULL;
	struct rec_in *in = NULL;
	struct reason why;
	struct stat st;
	struct rec r;
	size_t n = 0, len = 0, i;
	int fd, rc = -1;

	memset(m, 0, sizeof(*m));
	m->exact = TABLE_OF(struct pathmap_path, PATHMAP_HASH, UINT32_MAX);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) == -1 ||
	    fstat(fd, &st) == -1) {
		reason_set(&why, "map", "%s", strerror(errno));
		goto out;
	}
	if ((raw = io_slurp(fd, PATHMAP_FILE_MAX, &n, &why)) == NULL)
		goto out;
	recs = pathmap_as_records(raw, n, &len);
	if ((in = rec_in_mem(recs, len)) == NULL)
		heap_nomem();
	while ((rc = rec_in_read(in, &r, &why)) == 1)
		if (!pathmap_add(m, &r, &why)) {
			rc = -1;
			goto out;
		}
	if (rc == -1) {
		reason_set(w, "map",
		    "%s: line %llu: %s (a map is LTSV, "
		    "path:GLOB and user:NAME apart by a TAB; from CSV: mlr "
		    "--icsv --odkvp --ofs tab --ops : cat)",
		    path, r.lineno, why.detail);
		goto done;
	}
	for (i = 0; i < m->n; i++)
		if (m->v[i].pass != NULL && S_ISREG(st.st_mode) &&
		    (st.st_mode & 077) != 0) {
			reason_set(&why, "map",
			    "holds passwords and others can "
			    "read it: run chmod 600 on it");
			rc = -1;
		}
out:
	if (rc == -1)
		reason_set(w, "map", "%s: %s", path, why.detail);
done:
	rec_in_free(in);
	OPENSSL_clear_free(recs, len);
	OPENSSL_clear_free(raw, n);
	if (fd != -1)
		(void)close(fd);
	if (rc == -1)
		pathmap_free(m);
	return rc == 0;
}

void
pathmap_free(struct pathmap *m)
{
	struct pathmap_line *v;

	while (m->n > 0) {
		v = &m->v[--m->n];
		OPENSSL_free(v->glob);
		OPENSSL_free((char *)v->group.s);
		OPENSSL_free((char *)v->user.s);
		OPENSSL_free((char *)v->mail.s);
		OPENSSL_free((char *)v->guid.s);
		if (v->pass != NULL)
			OPENSSL_secure_clear_free(v->pass, strlen(v->pass));
	}
	OPENSSL_free(m->v);
	OPENSSL_free(m->glob);
	table_clear(&m->exact);
	memset(m, 0, sizeof(*m));
}

const struct pathmap_line *
pathmap_find0(struct pathmap *m, const char *path)
{
	const struct pathmap_path *exact;
	uint8_t hash[PATHMAP_HASH];
	size_t i, first;

	if (m->n == 0)
		return NULL;
	pathmap_hash(hash, path);
	exact = table_find0(&m->exact, hash);
	first = exact == NULL ? m->n : exact->line - 1;
	for (i = 0; i < m->nglobs && m->glob[i] < first; i++)
		if (fnmatch(m->v[m->glob[i]].glob, path, 0) == 0)
			first = m->glob[i];
	if (first == m->n)
		return NULL;
	m->v[first].used = 1;
	return &m->v[first];
}
