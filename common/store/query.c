#include "store/query.h"

#include <ctype.h>
#include <fnmatch.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fold.h"
#include "base/heap.h"
#include "base/msg.h"

#define NEAR_TOLD 5 /* rows like it that are told of each */

/* What a term is compared with. */
enum what {
	ANY,
	MAIL,
	UPN,
	CN,
	USER,
	FORMER,
	SERIAL,
	SHA1,
	SHA256,
	SKI,
	REQUESTER,
	ID,
	SOURCE,
	IN_GROUP,
	OF_USER
};

static const struct {
	const char *label;
	size_t digits; /* of a hash in full, or 0 */
} kind[] = {
	[ANY] = { "", 0 },
	[MAIL] = { "mail", 0 },
	[UPN] = { "upn", 0 },
	[CN] = { "cn", 0 },
	[USER] = { "user", 0 },
	[FORMER] = { "former", 0 },
	[SERIAL] = { "serial", 0 },
	[SHA1] = { "sha1", 40 },
	[SHA256] = { "sha256", 64 },
	[SKI] = { "ski", 0 },
	[REQUESTER] = { "requester", 0 },
	[ID] = { "id", 0 },
	[SOURCE] = { "source", 0 },
	[IN_GROUP] = { "group", 0 },
	[OF_USER] = { "user", 0 },
};

#define LABELS \
	"mail, upn, cn, user, former, serial, sha1, sha256, ski, requester, id " \
	"or source"

struct term {
	enum what what;
	const char *said; /* as it was given */
	struct text value;
	char *hex, *serial; /* the value as such; NULL: it is none */
	int matched; /* some row has it */
	struct {
		char *text; /* what is like it: a label and a name */
		int64_t id; /* the first row that has it, */
		int is_fault; /* or fault */
	} near[NEAR_TOLD]; /* nnear of them */
	size_t nnear;
};

struct query {
	struct term *term;
	size_t room, n, groups, users; /* n terms: of IN_GROUP, of OF_USER */
	const char *from, *until; /* or NULL */
};

struct query *
query_new(void)
{
	struct query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		heap_nomem();
	return q;
}

void
query_free(struct query *q)
{
	struct term *t;

	if (q == NULL)
		return;
	while (q->n > 0) {
		t = &q->term[--q->n];
		while (t->nnear > 0)
			free(t->near[--t->nnear].text);
		free(t->hex);
		free(t->serial);
	}
	OPENSSL_free(q->term);
	free(q);
}

int
query_all(const struct query *q)
{
	return q->n == 0 && q->from == NULL && q->until == NULL;
}

/* Asking ---------------------------------------------------------------- */

/*
 * Returns typed hex digits as the archive has them, in lower case; Windows puts
 * U+200E before some.  A number has two a byte and no leading zeros.  NULL:
 * they are none.
 */
static char *
hex_new(const char *s, int is_number)
{
	/* room in front for a sign, and for an odd number of digits */
	char *hex = malloc(strlen(s) + 3), *p;
	int minus = is_number && *s == '-';

	if (hex == NULL)
		heap_nomem();
	p = hex + 2;
	s += minus;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	for (; *s != '\0'; s++)
		if (isxdigit((unsigned char)*s))
			*p++ = (char)tolower((unsigned char)*s);
		else if (strncmp(s, "\xe2\x80\x8e", 3) == 0)
			s += 2;
		else if (strchr(" :-", *s) == NULL)
			break;
	*p = '\0';
	if (*s != '\0' || p == hex + 2) {
		free(hex);
		return NULL;
	}
	p = hex + 2;
	if (is_number) {
		p += strspn(p, "0");
		if (*p == '\0')
			p--;
		else if (strlen(p) % 2 == 1)
			*--p = '0';
		if (minus)
			*--p = '-';
	}
	memmove(hex, p, strlen(p) + 1);
	return hex;
}

/* Adds a term. */
static struct term *
add(struct query *q, enum what what, const char *said, const char *value)
{
	struct term *t;

	q->term = array_grow(q->term, &q->room, q->n + 1, sizeof(*t));
	t = &q->term[q->n++];
	memset(t, 0, sizeof(*t));
	t->what = what;
	t->said = said;
	t->value.s = value;
	t->value.n = strlen(value);
	if (what == ANY || (what >= SHA1 && what <= SKI))
		t->hex = hex_new(value, 0);
	if (what == ANY || what == SERIAL)
		t->serial = hex_new(value, 1);
	return t;
}

/* Returns the option that a term comes from. */
static int
letter_of(enum what what)
{
	return what == IN_GROUP ? 'g' : what == OF_USER ? 'u' : 's';
}

/* Adds a pattern, and counts it in *n. */
static int
add_pattern(struct query *q, enum what what, const char *pattern, size_t *n,
    struct reason *w)
{
	if (*pattern == '\0')
		return reason_set(w, "usage", "-%c: an empty %s",
		    letter_of(what), kind[what].label);
	add(q, what, pattern, pattern);
	++*n;
	return 1;
}

int
query_group(struct query *q, const char *pattern, struct reason *w)
{
	return add_pattern(q, IN_GROUP, pattern, &q->groups, w);
}

int
query_user(struct query *q, const char *pattern, struct reason *w)
{
	return add_pattern(q, OF_USER, pattern, &q->users, w);
}

/* Returns the label of the token; ANY: none; -1: an unknown one. */
static int
label_of(const char *token)
{
	size_t n = strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789_");
	int i;

	if (n == 0 || token[n] != ':')
		return ANY;
	for (i = MAIL; i <= SOURCE; i++)
		if (strlen(kind[i].label) == n &&
		    strncmp(kind[i].label, token, n) == 0)
			return i;
	return -1;
}

/* Returns 1 for a whole hash, which has no label. */
static int
is_hash(const char *token)
{
	char *hex = hex_new(token, 0);
	size_t n = hex == NULL ? 0 : strlen(hex);

	free(hex);
	return n == kind[SHA1].digits || n == kind[SHA256].digits;
}

int
query_token(struct query *q, const char *token, struct reason *w)
{
	int what = is_hash(token) ? ANY : label_of(token);
	const char *value = what > ANY ? strchr(token, ':') + 1 : token;
	struct term *t;

	/* an unset variable must not select what has no UPN */
	if (*value == '\0')
		return reason_set(w, "usage", "-s: an empty token");
	if (what == -1)
		return reason_set(w, "usage",
		    "-s %s: no such label: " LABELS
		    " (cn:%s, if that is a name; a hash only in full)",
		    token, token);
	t = add(q, (enum what)what, token, value);
	if (what == ID &&
	    (strspn(value, "0123456789") != t->value.n || t->value.n > 18))
		return reason_set(w, "usage", "-s %s: not a row number", token);
	if (what >= SERIAL && what <= SKI && t->hex == NULL &&
	    t->serial == NULL)
		return reason_set(w, "usage", "-s %s: not all hex digits",
		    token);
	if (kind[what].digits > 0 && strlen(t->hex) != kind[what].digits)
		return reason_set(w, "usage",
		    "-s %s: %zu hex digits, and a %s has %zu", token,
		    strlen(t->hex), kind[what].label, kind[what].digits);
	return 1;
}

/* Returns 1 if the date begins as the archive writes dates. */
static int
is_date(const char *s)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	size_t i, n = strlen(s);

	if (n != 4 && n != 7 && n != 10 && n != sizeof(form) - 1)
		return 0;
	for (i = 0; i < n; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)s[i]) :
				     s[i] != form[i])
			return 0;
	return 1;
}

static int
set_date(const char **date, int letter, const char *s, struct reason *w)
{
	*date = s;
	return is_date(s) ||
	    reason_set(w, "usage",
		"-%c %s: not a date: 2001, 2001-05, 2001-05-31 or "
		"2001-05-31T12:00:00Z",
		letter, s);
}

int
query_from(struct query *q, const char *date, struct reason *w)
{
	return set_date(&q->from, 'b', date, w);
}

int
query_until(struct query *q, const char *date, struct reason *w)
{
	return set_date(&q->until, 'e', date, w);
}

/* Comparing ------------------------------------------------------------- */

/* Returns 1 if a name matches a shell pattern.  One with NUL matches none. */
static int
is_like(const char *pattern, struct text name)
{
	char *s = strndup(name.s, name.n);
	int rc;

	if (s == NULL)
		heap_nomem();
	rc = strlen(s) == name.n && fnmatch(pattern, s, FNM_CASEFOLD) == 0;
	free(s);
	return rc;
}

/* Returns 1 if the whole hash is one of the row's. */
static int
has_hash(const struct term *t, const struct query_row *r)
{
	return t->hex != NULL &&
	    ((strlen(t->hex) == kind[SHA1].digits &&
		 (strcmp(t->hex, r->sha1) == 0 ||
		     strcmp(t->hex, r->ski) == 0)) ||
		strcmp(t->hex, r->sha256) == 0);
}

/* The names of a row that a term is compared with, unless empty. */
struct names {
	struct {
		enum what what;
		struct text text;
	} v[6];
	size_t n;
};

static void
add_name(struct names *l, const struct term *t, enum what what,
    struct text text)
{
	if (text.n == 0 ||
	    (t->what != what && (t->what != ANY || what >= SERIAL)))
		return;
	l->v[l->n].what = what;
	l->v[l->n++].text = text;
}

static void
names_of(struct names *l, const struct term *t, const struct query_row *r)
{
	l->n = 0;
	if (r->former) {
		add_name(l, t, FORMER, r->user);
		add_name(l, t, FORMER, r->mail);
		return;
	}
	add_name(l, t, USER, r->user);
	add_name(l, t, MAIL, r->mail);
	add_name(l, t, MAIL, r->cert_mail);
	add_name(l, t, UPN, r->upn);
	add_name(l, t, CN, r->cn);
	add_name(l, t, REQUESTER, r->requester);
	add_name(l, t, SOURCE, r->source);
	add_name(l, t, IN_GROUP, r->group);
	add_name(l, t, OF_USER, r->user);
}

/* Returns 1 if a name matches, 2 if it is the user's. */
static int
has_name(const struct term *t, const struct query_row *r)
{
	struct names l;
	size_t i;

	/* the user is the first */
	names_of(&l, t, r);
	for (i = 0; i < l.n; i++)
		if (fold_same(t->value, l.v[i].text))
			return l.v[i].what == USER ? 2 : 1;
	return 0;
}

static int
matches(const struct term *t, const struct query_row *r)
{
	if (r->former)
		return t->what == FORMER && has_name(t, r);
	switch (t->what) {
	case IN_GROUP:
		return is_like(t->said, r->group);
	case OF_USER:
		return is_like(t->said, r->user);
	case SERIAL:
		return strcmp(t->serial, r->serial) == 0;
	case SHA1:
		return strcmp(t->hex, r->sha1) == 0;
	case SHA256:
		return strcmp(t->hex, r->sha256) == 0;
	case SKI:
		return strcmp(t->hex, r->ski) == 0;
	case ID:
		return !r->is_fault && strtoll(t->value.s, NULL, 10) == r->id;
	case ANY:
		if (has_hash(t, r))
			return 1;
		/* FALLTHROUGH */
	default:
		return has_name(t, r);
	}
}

/* Remembers a name that is like a term, and its row. */
static void
remember(struct term *t, const struct query_row *r, enum what what,
    struct text text)
{
	char name[256], *said;
	size_t i;

	if (asprintf(&said, "%s %s", kind[what].label,
		text_vis(name, sizeof(name), text.s, text.n)) == -1)
		heap_nomem();
	for (i = 0; i < t->nnear && strcmp(t->near[i].text, said) != 0; i++)
		continue;
	if (i < t->nnear) {
		free(said);
		return;
	}
	t->near[t->nnear].text = said;
	t->near[t->nnear].is_fault = r->is_fault;
	t->near[t->nnear++].id = r->id;
}

/* Remembers a name if the term is like it or, if asked, equal. */
static void
look_at(struct term *t, const struct query_row *r, enum what what,
    struct text text, int same)
{
	if (t->nnear < NEAR_TOLD &&
	    (same ? fold_same(t->value, text) : fold_near(t->value, text)))
		remember(t, r, what, text);
}

/* Looks for what the term may have meant. */
static void
look_near(struct term *t, const struct query_row *r)
{
	struct names l;
	size_t i;

	if (r->former && t->what == OF_USER && is_like(t->said, r->user))
		remember(t, r, FORMER, r->user);
	names_of(&l, t, r);
	for (i = 0; i < l.n; i++)
		look_at(t, r, l.v[i].what, l.v[i].text, 0);
	if (t->what != ANY || r->former)
		return;
	look_at(t, r, IN_GROUP, r->group, 1);
	look_at(t, r, REQUESTER, r->requester, 1);
	if (t->serial != NULL && strcmp(t->serial, r->serial) == 0 &&
	    t->nnear < NEAR_TOLD)
		remember(t, r, SERIAL,
		    (struct text){ r->serial, strlen(r->serial) });
}

/* Returns 1 for a fault, or if the certificate is valid between the dates. */
static int
in_time(const struct query *q, const struct query_row *r)
{
	if (r->is_fault)
		return 1;
	return (q->from == NULL ||
		   strncmp(r->not_after, q->from, strlen(q->from)) >= 0) &&
	    (q->until == NULL ||
		strncmp(r->not_before, q->until, strlen(q->until)) <= 0);
}

int
query_wants(struct query *q, const struct query_row *r)
{
	int group = q->groups == 0, user = q->users == 0;
	/* a former name is wanted only if it is asked for */
	int token = q->n == q->groups + q->users && !r->former;
	struct term *t;
	size_t i;
	int how, *best;

	for (i = 0; i < q->n; i++) {
		t = &q->term[i];
		if ((how = matches(t, r)) != 0) {
			t->matched = 1;
			best = t->what == IN_GROUP ? &group :
			    t->what == OF_USER	   ? &user :
						     &token;
			*best = how > *best ? how : *best;
		} else if (!t->matched && t->nnear < NEAR_TOLD)
			look_near(t, r);
	}
	return group && user && in_time(q, r) ? token : 0;
}

/* Telling --------------------------------------------------------------- */

void
query_detail(const struct query *q, FILE *fp)
{
	const struct term *t;
	size_t i;

	for (i = 0; i < q->n; i++) {
		t = &q->term[i];
		(void)fprintf(fp, " %s=%s",
		    t->what < IN_GROUP ? "token" : kind[t->what].label,
		    t->said);
	}
	if (q->from != NULL)
		(void)fprintf(fp, " from=%s", q->from);
	if (q->until != NULL)
		(void)fprintf(fp, " until=%s", q->until);
}

/* Prints that no row has it, and what is like it.  Returns 1 if one has it. */
static int
explain(const struct term *t)
{
	int letter = letter_of(t->what);
	size_t i;

	if (t->matched)
		return 1;
	if (t->what == ANY)
		msg_warn("-s %s: no mail address, UPN, user or common name, in "
			 "full and without wildcards, and no hash in full: "
			 "-n without -s lists all",
		    t->said);
	else
		msg_warn("-%c %s: no row has that: -n without -%c lists all",
		    letter, t->said, letter);
	for (i = 0; i < t->nnear; i++)
		msg_warn(t->near[i].is_fault ?
			"-%c %s: like it: %s (fault %lld)" :
			"-%c %s: like it: %s (row %lld)",
		    letter, t->said, t->near[i].text, (long long)t->near[i].id);
	return 0;
}

void
query_explain(const struct query *q, unsigned long long rows)
{
	size_t i;
	int all = 1;

	for (i = 0; i < q->n; i++)
		all &= explain(&q->term[i]);
	if (rows == 0 && all && !query_all(q))
		msg_warn("there are rows for each of the options, and none for "
			 "all of -b, -e, -g, -s and -u together");
}
