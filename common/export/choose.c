#include "export/choose.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/heap.h"
#include "export/owner.h"

/* Parts of a source in a database: TABLE/row/COLUMN, some names with `/'. */
#define MOST_PARTS 8

void
choose_init(struct choose *ch, size_t n)
{
	memset(ch, 0, sizeof(*ch));
	ch->group = calloc(n, sizeof(*ch->group));
	ch->user = calloc(n, sizeof(*ch->user));
	if (ch->group == NULL || ch->user == NULL)
		heap_nomem();
	ch->databases = TABLE_OF(uint8_t[32], 32, UINT32_MAX);
}

void
choose_free(struct choose *ch)
{
	pathmap_free(&ch->map);
	charset_free(ch->charset);
	table_clear(&ch->databases);
	free(ch->group);
	free(ch->user);
}

int
choose_some(const struct choose *ch)
{
	return ch->ngroup + ch->nuser > 0;
}

/* Returns 1 if a pattern matches, or there are none. */
static int
choose_matches(const char **pattern, size_t n, struct text t)
{
	char *s;
	size_t i;
	int found = n == 0;

	if ((s = strndup(t.s, t.n)) == NULL)
		heap_nomem();
	for (i = 0; i < n && !found; i++)
		found = fnmatch(pattern[i], s, 0) == 0;
	free(s);
	return found;
}

int
choose_wants(const struct choose *ch, const struct stream_rec *e)
{
	return (e->group.s == NULL ||
		   choose_matches(ch->group, ch->ngroup, e->group)) &&
	    (e->user.s == NULL || choose_matches(ch->user, ch->nuser, e->user));
}

void
choose_database(struct choose *ch, struct text path)
{
	uint8_t name[32];

	digest_sha256(name, path.s, path.n);
	(void)table_get0(&ch->databases, name);
}

/* Returns the path of the source's database, or that of the source. */
static struct text
choose_member(const struct choose *ch, struct text source)
{
	struct text t = source;
	const char *slash;
	uint8_t name[32];
	int i;

	for (i = 0; ch->databases.n > 0 && i < MOST_PARTS; i++) {
		if ((slash = memrchr(t.s, '/', t.n)) == NULL)
			break;
		t.n = (size_t)(slash - t.s);
		digest_sha256(name, t.s, t.n);
		if (table_find0(&ch->databases, name) != NULL)
			return t;
	}
	return source;
}

const struct pathmap_line *
choose_line0(struct choose *ch, struct text source)
{
	const struct pathmap_line *m = NULL;
	size_t n = choose_member(ch, source).n;
	char *path, *at, end;

	if ((path = strndup(source.s, source.n)) == NULL)
		heap_nomem();
	at = n < source.n ? path + n : ch->carve ? strrchr(path, '@') : NULL;
	if (at != NULL &&
	    (n < source.n || at[1 + strspn(at + 1, "0123456789")] == '\0')) {
		end = *at;
		*at = '\0';
		m = pathmap_find0(&ch->map, path);
		*at = end;
	}
	if (m == NULL)
		m = pathmap_find0(&ch->map, path);
	free(path);
	return m;
}

/* Takes the owner from the path, and from the map. */
static void
choose_path(struct choose *ch, struct stream_rec *e, struct text source)
{
	struct stream_rec path;

	memset(&path, 0, sizeof(path));
	owner_path(&path, choose_member(ch, source));
	if (path.group.s != NULL)
		e->group = charset_name(ch->charset, path.group);
	if (path.user.s != NULL)
		e->user = charset_name(ch->charset, path.user);
	owner_map(e, choose_line0(ch, source));
}

void
choose_describe(struct choose *ch, struct stream_rec *e, const struct cert *c,
    struct text name, struct text source)
{
	memset(e, 0, sizeof(*e));
	e->cert = c;
	e->source = source;
	e->guid.s = "";
	owner_cert(e, c, name);
	choose_path(ch, e, source);
}

void
choose_whose(struct choose *ch, struct stream_rec *e, struct text source)
{
	memset(e, 0, sizeof(*e));
	choose_path(ch, e, source);
}

int
choose_skips(struct choose *ch, struct text source)
{
	struct stream_rec e;

	if (!choose_some(ch))
		return 0;
	choose_whose(ch, &e, source);
	return !choose_wants(ch, &e);
}
