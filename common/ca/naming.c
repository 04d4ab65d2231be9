#include "ca/naming.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

/* Returns 1 if the field is empty, or equal to the other. */
static int
says(struct text field, struct text of)
{
	return field.n == 0 || text_same(field, of);
}

/* Returns 1 if the first name has nothing that the other lacks. */
static int
within(const struct store_seen *a, const struct store_seen *of)
{
	return says(a->group, of->group) && says(a->user, of->user) &&
	    says(a->mail, of->mail);
}

static int
same(const struct store_seen *a, const struct store_seen *b)
{
	return text_same(a->group, b->group) && text_same(a->user, b->user) &&
	    text_same(a->mail, b->mail);
}

/*
 * Returns 1 if some name, former or not, has all that this one has.  Else notes
 * a present name that has less.
 */
static int
known(const struct store_name *v, size_t n, struct store_name *new)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (within(&new->seen, &v[i].seen))
			return 1;
		if (!v[i].former && new->replaces == NAME_NONE &&
		    within(&v[i].seen, &new->seen))
			new->replaces = v[i].id;
	}
	return 0;
}

/* Tells whoever looks for this user that the row has another. */
static void
tell(const struct store_known *k, const struct store_name *n, const char *then,
    struct reason *w)
{
	char name[256];

	if (n->seen.user.n == 0 || text_same(n->seen.user, k->seen.user))
		reason_set(w, "user",
		    "already in row %lld, under another name%s",
		    (long long)k->id, then);
	else
		reason_set(w, "user", "already in row %lld, %s%s%s",
		    (long long)k->id,
		    k->seen.user.n == 0 ? "without a user" : "for user ",
		    text_vis(name, sizeof(name), k->seen.user.s,
			k->seen.user.n),
		    then);
}

int
naming_add(struct store *db, const struct store_known *k, struct store_name *n,
    int has_key, int new_key, int *named, struct reason *w)
{
	struct store_name *v;
	size_t nv;
	int rc;

	w->detail[0] = '\0';
	/* what came with the certificate alone has no claim to the key */
	if (new_key ? same(&n->seen, &k->seen) : within(&n->seen, &k->seen))
		return 1;
	if (!has_key) {
		if (!says(n->seen.user, k->seen.user))
			tell(k, n, "", w);
		return 1;
	}
	if ((rc = store_names(db, k->id, &v, &nv, w)) != 1)
		return 0;
	if (!new_key && known(v, nv, n))
		return 1;
	if (nv == NAMES_MAX) {
		tell(k, n, ", and as many names as a row may have", w);
		return 1;
	}
	if (new_key)
		n->replaces = NAME_OWN;
	if (!store_name_add(db, n, w))
		return 0;
	*named = 1;
	tell(k, n,
	    n->replaces == NAME_NONE ? ": this name is kept as well" :
				       ": this name takes the place of that",
	    w);
	return 1;
}

/* Putting right --------------------------------------------------------- */

static const char *const labels[] = { "group", "user", "mail", "guid" };
#define LABELS (sizeof(labels) / sizeof(labels[0]))

/* Reads a row's or name's number, at `least' that.  Returns 1, or 0 with *w. */
static int
number(const char *label, const char *s, int64_t least, int64_t *v,
    struct reason *w)
{
	*v = strtoll(s, NULL, 10);
	return (*s != '\0' && strspn(s, "0123456789") == strlen(s) &&
		   *v >= least && *v < LLONG_MAX) ||
	    reason_set(w, "usage",
		"%s: not a number of the archive: "
		"ca-export -n shows them",
		label);
}

int
naming_field(struct naming *a, const char *label, const char *value,
    struct reason *w)
{
	size_t i, n = strlen(value);

	if (strcmp(label, "id") == 0)
		return number(label, value, 1, &a->row, w);
	if (strcmp(label, "name") == 0)
		return number(label, value, 0, &a->name, w);
	for (i = 0; i < LABELS; i++)
		if (strcmp(label, labels[i]) == 0) {
			OPENSSL_free((char *)(uintptr_t)a->to[i].s);
			a->to[i].s = OPENSSL_strdup(value);
			a->to[i].n = n;
			if (a->to[i].s == NULL)
				heap_nomem();
			return 1;
		}
	return reason_set(w, "usage",
	    "%s: not a part of a name: group, user, mail or guid", label);
}

int
naming_ask(struct naming *a, const struct rec *r, unsigned long long line,
    struct reason *w)
{
	static const char *const key[] = { "id", "name" };
	char *s;
	size_t i;
	int ok = 1;

	a->line = line;
	if (!rec_is(r, "archived") && !rec_is(r, "name"))
		return reason_set(w, "usage",
		    "neither an archived nor a name record");
	for (i = 0; ok && i < 2; i++)
		if ((s = rec_text(r, key[i], NULL)) != NULL) {
			ok = naming_field(a, key[i], s, w);
			OPENSSL_free(s);
		}
	if (ok && a->row == 0)
		ok = reason_set(w, "usage", "no id: which row is it?");
	for (i = 0; ok && i < LABELS; i++)
		a->to[i].s = rec_text(r, labels[i], &a->to[i].n);
	return ok;
}

void
naming_free(struct naming *a)
{
	size_t i;

	for (i = 0; i < LABELS; i++)
		OPENSSL_free((char *)(uintptr_t)a->to[i].s);
}

/* Finds the name that is meant.  Returns NULL with *w if there is none. */
static const struct store_name *
meant(const struct naming *a, const struct store_name *v, size_t n,
    struct reason *w)
{
	const struct store_name *m = NULL;
	size_t i, now = 0;

	for (i = 0; i < n; i++)
		if (a->name == NAME_NONE ? !v[i].former : v[i].id == a->name) {
			m = &v[i];
			now++;
		}
	if (m != NULL && now == 1 && !m->former)
		return m;
	if (m == NULL)
		reason_set(w, "name", "row %lld has no name %lld",
		    (long long)a->row, (long long)a->name);
	else if (now > 1)
		reason_set(w, "name",
		    "row %lld has %zu names: say which, by name:NUMBER "
		    "(ca-export -n shows it)",
		    (long long)a->row, now);
	else
		reason_set(w, "name",
		    "name %lld of row %lld is former: another has taken its "
		    "place",
		    (long long)a->name, (long long)a->row);
	return NULL;
}

enum naming_status
naming_set(struct store *db, const struct naming *a, struct store_name *n,
    int dry, struct reason *w)
{
	struct text *const field[LABELS] = { &n->seen.group, &n->seen.user,
		&n->seen.mail, &n->seen.guid };
	const struct store_name *was;
	struct store_name *v;
	size_t nv, i, changed = 0;
	int rc = store_names(db, a->row, &v, &nv, w);

	if (rc != 1)
		return rc == 0 ?
		    reason_set(w, "name", "no row %lld", (long long)a->row) :
		    NAMING_STOP;
	if ((was = meant(a, v, nv, w)) == NULL)
		return NAMING_REFUSED;
	*n = *was;
	for (i = 0; i < LABELS; i++) {
		if (a->to[i].s == NULL)
			continue;
		if (a->to[i].n > ROW_TEXT_MAX)
			return reason_set(w, "ceiling",
			    "%s of %zu bytes, and a row keeps %d", labels[i],
			    a->to[i].n, ROW_TEXT_MAX);
		changed += !text_same(*field[i], a->to[i]);
		*field[i] = a->to[i];
	}
	if (changed == 0)
		return NAMING_SAME;
	if (nv == NAMES_MAX)
		return reason_set(w, "ceiling",
		    "row %lld has %d names, and a row keeps no more",
		    (long long)a->row, NAMES_MAX);
	n->replaces = was->id;
	n->id = n->audit = n->former = 0;
	return dry || store_name_add(db, n, w) ? NAMING_SET : NAMING_STOP;
}
