#include "export/owner.h"

#include <string.h>

static struct text
str(const char *s)
{
	struct text t = { s, strlen(s) };

	return t;
}

void
owner_cert(struct stream_rec *e, const struct cert *c, struct text name)
{
	e->group = str(c->ou);
	e->mail = str(c->address);
	e->user = name;
	if (*c->cn != '\0')
		e->user = str(c->cn);
	else if (*c->upn != '\0')
		e->user = str(c->upn);
	else if (*c->address != '\0')
		e->user = str(c->address);
	if (e->user.s == NULL)
		e->user = str("");
}

/* Cuts off the last component that is not `.'  or empty; *t keeps the rest. */
static struct text
last(struct text *t)
{
	struct text part;
	const char *slash;

	do {
		slash = t->n == 0 ? NULL : memrchr(t->s, '/', t->n);
		part.s = slash == NULL ? t->s : slash + 1;
		part.n = t->n - (size_t)(part.s - t->s);
		t->n = slash == NULL ? 0 : (size_t)(slash - t->s);
		if (part.n == 1 && part.s[0] == '.')
			part.n = 0;
	} while (part.n == 0 && t->n > 0);
	return part;
}

static int
is_name(struct text t)
{
	return t.n > 0 && !(t.n == 2 && t.s[0] == '.' && t.s[1] == '.');
}

/* Returns 1 for an archive in the archive, whose name is nobody's. */
static int
is_archive(struct text t)
{
	static const char *const suffix[] = { ".zip", ".7z", ".tar", ".tgz",
		".gz", ".Z", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".lz4",
		".cab", ".iso", ".rar", ".lzh", ".lha", ".cpio", ".jar",
		".warc" };
	size_t i, n;

	for (i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		n = strlen(suffix[i]);
		if (t.n > n && strncasecmp(t.s + t.n - n, suffix[i], n) == 0)
			return 1;
	}
	return 0;
}

/* Takes the next directory up. */
static struct text
directory(struct text *path)
{
	struct text t;

	do
		t = last(path);
	while (t.n > 0 && is_archive(t));
	return t;
}

void
owner_path(struct stream_rec *e, struct text path)
{
	struct text inner, outer;

	(void)last(&path);
	inner = directory(&path);
	outer = directory(&path);
	if (is_name(outer) && is_name(inner)) {
		e->group = outer;
		e->user = inner;
	} else if (is_name(inner))
		e->group = inner;
}

void
owner_map(struct stream_rec *e, const struct pathmap_line *m)
{
	if (m == NULL)
		return;
	if (m->group.s != NULL)
		e->group = m->group;
	if (m->user.s != NULL)
		e->user = m->user;
	if (m->mail.s != NULL)
		e->mail = m->mail;
	if (m->guid.s != NULL)
		e->guid = m->guid;
}
