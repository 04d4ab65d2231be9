#include "report/count.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/text.h"
#include "key/cert.h"

#define PAIR_ID 16 /* bytes of the hash of a pair */

/* The fields of a certificate in the notes. */
#define CERT_FIELDS "group user mail serial not_after sha1 source"

void
count_init(struct count *c)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t t = epoch == NULL ? time(NULL) :
				   (time_t)strtoll(epoch, NULL, 10);
	struct tm tm;

	memset(c, 0, sizeof(*c));
	c->certs = TABLE_OF(struct count_cert, COUNT_ID, COUNT_MAX);
	c->pairs = TABLE_OF(uint8_t[PAIR_ID], PAIR_ID, 4 * COUNT_MAX);
	years_init(&c->years);
	notes_init(&c->notes);
	if (gmtime_r(&t, &tm) == NULL)
		msg_die("SOURCE_DATE_EPOCH is no time");
	(void)encode_time(c->now, &tm);
	if ((c->md = EVP_MD_CTX_new()) == NULL ||
	    (c->id = EVP_MD_CTX_new()) == NULL ||
	    !EVP_DigestInit_ex(c->md, EVP_sha256(), NULL) ||
	    !EVP_DigestInit_ex(c->id, EVP_sha256(), NULL))
		heap_nomem();
}

void
count_free(struct count *c)
{
	table_clear(&c->certs);
	table_clear(&c->pairs);
	tally_free(&c->types);
	tally_free(&c->groups);
	tally_free(&c->algs);
	tally_free(&c->agents);
	tally_free(&c->faults);
	tally_free(&c->results);
	tally_free(&c->refusals);
	years_free(&c->years);
	notes_free(&c->notes);
	EVP_MD_CTX_free(c->md);
	EVP_MD_CTX_free(c->id);
}

static void
count_note(struct count *c, const char *type, const struct rec *r,
    const char *labels)
{
	notes_begin(&c->notes, type, r, labels);
	notes_end(&c->notes);
}

/* Returns the counters that a field of the record names. */
static unsigned long long *
counters(struct tally *t, const struct rec *r, const char *label)
{
	unsigned long long *v;
	char *own;

	v = tally_get0(t, rec_text_own(r, label, &own));
	OPENSSL_free(own);
	return v;
}

static void *
count_get0(struct table *t, const uint8_t *id)
{
	void *e = table_get0(t, id);

	if (e == NULL)
		msg_die("more than %d certificates or users, the ceiling: "
			"make a report for a part of them",
		    COUNT_MAX);
	return e;
}

const struct count_cert *
count_cert0(struct count *c, const struct rec *r)
{
	uint8_t id[COUNT_ID];

	return rec_unhex(r, "sha1", id, sizeof(id)) ?
	    count_get0(&c->certs, id) :
	    NULL;
}

/* Returns the certificate of the record, or NULL if it has no thumbprint. */
static struct count_cert *
cert_of(struct count *c, const struct rec *r)
{
	struct count_cert *e = (struct count_cert *)count_cert0(c, r);
	uint8_t sha256[32];

	if (e == NULL || !rec_unhex(r, "sha256", sha256, sizeof(sha256)))
		return e;
	if (e->flags &
		(COUNT_KEY | COUNT_CERT | COUNT_SIGN | COUNT_CA | COUNT_ROW |
		    COUNT_ALONE) &&
	    memcmp(e->check, sha256, sizeof(e->check)) != 0) {
		c->clashes += (e->flags & COUNT_CLASH) == 0;
		e->flags |= COUNT_CLASH;
	}
	memcpy(e->check, sha256, sizeof(e->check));
	return e;
}

/* Sets a flag.  Returns 1 if it was not set. */
static int
mark(struct count_cert *e, uint16_t flag)
{
	int had = (e->flags & flag) != 0;

	e->flags |= flag;
	return !had;
}

/* Hashes two texts and their kind. */
static void
pair_id(struct count *c, const char *what, struct text a, struct text b,
    uint8_t id[32])
{
	if (!EVP_DigestInit_ex(c->id, NULL, NULL) ||
	    !EVP_DigestUpdate(c->id, what, strlen(what) + 1) ||
	    !EVP_DigestUpdate(c->id, &a.n, sizeof(a.n)) ||
	    !EVP_DigestUpdate(c->id, a.s, a.n) ||
	    !EVP_DigestUpdate(c->id, b.s, b.n) ||
	    !EVP_DigestFinal_ex(c->id, id, NULL))
		heap_nomem();
}

/* Returns 1 if this is the first record with these two values of a kind. */
static int
first(struct count *c, const char *what, const struct rec *r, const char *a,
    const char *b)
{
	size_t before = c->pairs.n;
	uint8_t id[32];
	char *own[2];
	struct text ta = rec_text_own(r, a, &own[0]),
		    tb = rec_text_own(r, b, &own[1]);

	pair_id(c, what, ta, tb, id);
	OPENSSL_free(own[0]);
	OPENSSL_free(own[1]);
	(void)count_get0(&c->pairs, id);
	return c->pairs.n > before;
}

int
count_has_key(struct count *c, struct text group, struct text user)
{
	uint8_t id[32];

	pair_id(c, "user", group, user, id);
	return table_find0(&c->pairs, id) != NULL;
}

/* Counts the user of the record in its group, once. */
static unsigned long long *
user_of(struct count *c, const struct rec *r)
{
	unsigned long long *group = counters(&c->groups, r, "group");

	if (first(c, "user", r, "group", "user")) {
		group[GROUP_USERS]++;
		c->users++;
	}
	return group;
}

int
count_is_over(const struct count *c, const struct rec *r, const char *label)
{
	const struct rec_field *to = rec_get0(r, label);

	return to != NULL && to->vlen == strlen(c->now) &&
	    memcmp(to->val, c->now, to->vlen) < 0;
}

/* Counts a certificate whose key exists, the first time that it is seen. */
static void
key(struct count *c, const struct rec *r)
{
	const struct rec_field *from = rec_get0(r, "not_before");
	const struct rec_field *to = rec_get0(r, "not_after");

	c->keys++;
	counters(&c->algs, r, "alg")[0]++;
	c->versions += rec_get0(r, "version") != NULL;
	c->v1 += (unsigned)rec_eq(r, "version", "1");
	c->expired += (unsigned)count_is_over(c, r, "not_after");
	if (from == NULL || to == NULL)
		years_add(&c->years, "", 0, "", 0);
	else
		years_add(&c->years, from->val, from->vlen, to->val, to->vlen);
}

/* Returns 1 for a CA's certificate, which ca-import does not take. */
static int
of_ca(const struct rec *r)
{
	struct cert *cert;
	struct reason w;
	size_t n;
	uint8_t *der = rec_b64(r, "cert", 0, &n);
	int ca = 0;

	if (der != NULL && cert_new(&cert, der, n, &w)) {
		ca = cert->ca;
		cert_free(cert);
	}
	OPENSSL_free(der);
	return ca;
}

/* Counts a `key' or `cert' record. */
static void
exported(struct count *c, const struct rec *r)
{
	struct count_cert *e = cert_of(c, r);
	unsigned long long *group = NULL;
	uint16_t flag = rec_is(r, "key") ? COUNT_KEY :
	    of_ca(r)			 ? COUNT_CA :
	    rec_eq(r, "use", "sign")	 ? COUNT_SIGN :
					   COUNT_CERT;

	c->nexport++;
	if (flag == COUNT_KEY) {
		c->key_records++;
		c->members += (unsigned)first(c, "member", r, "source", "");
	}
	if (e == NULL) {
		c->unnamed++;
		return;
	}
	if (flag == COUNT_KEY) {
		if ((e->flags & (COUNT_KEY | COUNT_ROW)) == 0)
			key(c, r);
		group = user_of(c, r);
	}
	if (!mark(e, flag)) {
		c->again++;
		return;
	}
	c->signing += flag == COUNT_SIGN;
	c->cas += flag == COUNT_CA;
	if (group != NULL) {
		c->exported++;
		group[GROUP_KEYS]++;
	}
	if (flag == COUNT_KEY || flag == COUNT_CERT)
		count_note(c, flag == COUNT_KEY ? "key" : "cert", r,
		    CERT_FIELDS);
}

int
count_may_hold(const struct rec *r)
{
	return !rec_eq(r, "reason", "format") &&
	    !rec_eq(r, "reason", "empty") &&
	    !rec_eq(r, "reason", "certificate");
}

/* Counts a `fault' record; an archive's tells if it is cured. */
static void
fault(struct count *c, const struct rec *r)
{
	c->nexport += rec_get0(r, "cured") == NULL;
	if (rec_has(r, "cured"))
		return;
	if (!first(c, "fault", r, "source", "reason"))
		return;
	c->nfaults++;
	c->nholding += (unsigned)count_may_hold(r);
	counters(&c->faults, r, "reason")[0]++;
	count_note(c, "fault", r, "source reason detail group user");
}

/* Returns the counters of an agent; the first time it makes a note of it. */
static unsigned long long *
agent_of(struct count *c, const char *sha1, size_t n)
{
	unsigned long long *v = tally_get0(&c->agents,
	    (struct text){ sha1, n });

	if (v[AGENT_NOTED]++ == 0) {
		rec_begin(c->notes.out, "kra");
		rec_put(c->notes.out, "sha1", sha1, n);
		notes_end(&c->notes);
	}
	return v;
}

/*
 * Counts the key for each of its agents, which `end' separates: hashes or, for
 * an agent whose certificate is unknown, serial number and issuer.
 */
static unsigned long long
for_agents(struct count *c, const struct rec *r, const char *label, char end)
{
	char *own;
	struct text t = rec_text_own(r, label, &own);
	unsigned long long all = 0;
	size_t i, n;

	for (i = 0; i < t.n; i += n + 1, all++) {
		for (n = 0; i + n < t.n && t.s[i + n] != end; n++)
			continue;
		agent_of(c, t.s + i, n)[AGENT_KEYS]++;
	}
	OPENSSL_free(own);
	return all;
}

/* Counts an `archived' record. */
static void
row(struct count *c, const struct rec *r)
{
	struct count_cert *e = cert_of(c, r);
	unsigned long long n;

	/* a row may come under each of its names */
	c->nrows += e == NULL || (e->flags & (COUNT_ALONE | COUNT_ROW)) == 0;
	if (e == NULL || rec_get0(r, "kra") == NULL)
		return;
	if (!rec_has(r, "kra") && !rec_has(r, "recipients")) {
		if (mark(e, COUNT_ALONE)) {
			c->alone++;
			count_note(c, "alone", r, CERT_FIELDS);
		}
		return;
	}
	if ((e->flags & (COUNT_KEY | COUNT_ROW)) == 0)
		key(c, r);
	if (!mark(e, COUNT_ROW))
		return;
	c->rows++;
	user_of(c, r)[GROUP_ROWS]++;
	n = for_agents(c, r, "kra", ' ') + for_agents(c, r, "recipients", '\n');
	c->locks += n;
	c->most_agents = n > c->most_agents ? n : c->most_agents;
	notes_begin(&c->notes, "row", r, CERT_FIELDS);
	rec_put_u64(c->notes.out, "agents", n);
	notes_end(&c->notes);
}

/* Returns 1 if the result says that the row has another user. */
static int
elsewhere(const struct rec *r)
{
	/* this version's word, and that of those before */
	static const char *const says[] = { "already in row ", "row " };
	const struct rec_field *reason = rec_get0(r, "reason");
	size_t i;

	if (reason == NULL ||
	    !(rec_eq(r, "status", "present") || rec_eq(r, "status", "updated")))
		return 0;
	for (i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		if (reason->vlen > strlen(says[i]) &&
		    memcmp(reason->val, says[i], strlen(says[i])) == 0)
			return 1;
	return 0;
}

/* Counts a result by its status and, where that is no name, its reason. */
static void
outcome(struct count *c, const struct rec *r)
{
	char *own[2], name[TALLY_TEXT];
	struct text status = rec_text_own(r, "status", &own[0]);
	struct text reason = rec_text_own(r, "reason", &own[1]);
	size_t n = status.n;

	if (reason.n > 0 && !rec_eq(r, "status", "fault") && !elsewhere(r) &&
	    status.n + reason.n + 2 < sizeof(name)) {
		memcpy(name, status.s, status.n);
		memcpy(name + n, ": ", 2);
		memcpy(name + n + 2, reason.s, reason.n);
		status.s = name;
		status.n += 2 + reason.n;
	}
	tally_get0(&c->results, status)[0]++;
	OPENSSL_free(own[0]);
	OPENSSL_free(own[1]);
}

/* Counts a refused `result' record. */
static void
refused(struct count *c, const struct rec *r, struct count_cert *e)
{
	unsigned long long *v = counters(&c->refusals, r, "reason");

	count_note(c, "result", r, "sha1 user status reason");
	c->refused_records++;
	if (e == NULL) {
		c->refused_unnamed++;
		return;
	}
	(void)mark(e, COUNT_REFUSED);
	if (v != c->refusals.others.v) {
		if (v[0] == 0) /* it is new, and so the last */
			v[0] = c->refusals.names.n;
		e->why = (uint16_t)v[0];
	}
}

/* Counts a `result' record. */
static void
result(struct count *c, const struct rec *r)
{
	struct count_cert *e = cert_of(c, r);

	c->nresults++;
	outcome(c, r);
	if (elsewhere(r) && first(c, "other", r, "sha1", "user")) {
		c->others++;
		count_note(c, "other", r, "sha1 user id reason");
	}
	if (rec_eq(r, "status", "refused"))
		refused(c, r, e);
	else if (rec_eq(r, "status", "fault")) {
		count_note(c, "passed", r, "reason");
		c->result_faults++;
	} else if (e != NULL && rec_eq(r, "status", "present"))
		(void)mark(e, COUNT_PRESENT);
	else if (e != NULL && rec_has(r, "kra"))
		(void)mark(e, COUNT_DONE);
	else if (e != NULL && rec_eq(r, "reason", "")) /* not with -n */
		(void)mark(e, COUNT_TAKEN);
}

/* Counts a `verdict' of ca-recover -r, on one key and one agent. */
static void
tried(struct count *c, const struct rec *r, const struct rec_field *kra)
{
	unsigned long long *agent;

	if (rec_eq(r, "status", "none") || !first(c, "tried", r, "kra", "id"))
		return;
	agent = agent_of(c, kra->val, kra->vlen);
	c->nopened++;
	if (rec_eq(r, "status", "ok")) {
		agent[AGENT_OPENED]++;
		return;
	}
	agent[AGENT_SHUT]++;
	c->shut++;
	count_note(c, "shut", r, "user id sha1 kra reason");
}

/* Counts a `verdict' record. */
static void
verdict(struct count *c, const struct rec *r)
{
	const struct rec_field *kra = rec_get0(r, "kra");
	struct count_cert *e;

	if (kra != NULL) {
		tried(c, r, kra);
		return;
	}
	e = cert_of(c, r);
	c->nverdicts++;
	if (rec_eq(r, "status", "bad")) {
		c->bad++;
		count_note(c, "verdict", r, "sha1 user status reason");
		if (e != NULL)
			(void)mark(e, COUNT_BAD);
	} else if (e != NULL && rec_eq(r, "status", "ok"))
		(void)mark(e, COUNT_OK);
	else if (rec_eq(r, "status", "fault"))
		counters(&c->faults, r, "reason")[1]++;
}

/* Counts a `kra' record. */
static void
agent(struct count *c, const struct rec *r)
{
	unsigned long long *v = counters(&c->agents, r, "sha1");

	c->nagents++;
	v[AGENT_NOTED]++;
	if (v[AGENT_NAMED]++ > 0)
		return;
	c->old_agents += (unsigned)count_is_over(c, r, "not_after");
	count_note(c, "kra", r, "sha1 subject not_after");
}

/* Counts an `audited' record; the last one has the head. */
static void
audited(struct count *c, const struct rec *r)
{
	char *own[2];
	struct text head = rec_text_own(r, "head", &own[0]),
		    why = rec_text_own(r, "reason", &own[1]);

	c->naudits++;
	text_vis(c->audit_head, sizeof(c->audit_head), head.s, head.n);
	if (!rec_eq(r, "status", "whole") && c->altered++ == 0)
		text_vis(c->audit_why, sizeof(c->audit_why), why.s, why.n);
	OPENSSL_free(own[0]);
	OPENSSL_free(own[1]);
}

/* Counts the head of a sealed stream, and who signed it. */
static void
head(struct count *c, const struct stream_in *s)
{
	char subject[TALLY_TEXT] = "";
	struct cert *cert;
	struct reason w;

	if (cert_of_x509(&cert, s->signer, &w)) {
		text_vis(subject, sizeof(subject), cert->subject,
		    strlen(cert->subject));
		cert_free(cert);
	}
	c->heads++;
	notes_begin(&c->notes, "stream", &s->rec, "time signer");
	rec_puts(c->notes.out, "stream", s->id);
	rec_puts(c->notes.out, "subject", subject);
	notes_end(&c->notes);
}

static const struct count_type {
	const char *type;
	int exports; /* counts in a sealed stream */
	void (*count)(struct count *, const struct rec *);
} count_types[] = {
	{ "key", 1, exported },
	{ "cert", 1, exported },
	{ "fault", 1, fault },
	{ "archived", 0, row },
	{ "result", 0, result },
	{ "verdict", 0, verdict },
	{ "kra", 0, agent },
	{ "audited", 0, audited },
};

static void
record(struct count *c, const struct rec *r, int sealed)
{
	const struct count_type *t = count_types;
	const size_t n = sizeof(count_types) / sizeof(count_types[0]);

	while (t < count_types + n && !rec_is(r, t->type))
		t++;
	if (sealed && (t == count_types + n || !t->exports))
		c->strays++;
	else if (t < count_types + n)
		t->count(c, r);
}

/* The end of a stream: of an export it accounts for each member. */
static void
count_sum(struct count *c, const struct rec *r)
{
	const struct {
		const char *label;
		unsigned long long *sum;
	} fields[] = {
		{ "members", &c->sum.members },
		{ "members_keys", &c->sum.keys },
		{ "members_certs", &c->sum.certs },
		{ "members_faulted", &c->sum.faulted },
		{ "members_skipped", &c->sum.skipped },
	};
	unsigned long long n;
	size_t i;

	c->ends++;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (rec_u64(r, fields[i].label, &n))
			*fields[i].sum += n;
}

void
count_event(struct count *c, const struct stream_in *s, enum stream_event ev)
{
	const struct rec *r = &s->rec;
	const struct rec_field *type = &r->field[0];

	if (!EVP_DigestUpdate(c->md, r->line, r->len) ||
	    !EVP_DigestUpdate(c->md, "\n", 1))
		heap_nomem();
	c->lines++;
	c->bytes += r->len + 1;
	tally_get0(&c->types, (struct text){ type->val, type->vlen })[0]++;
	if (ev == STREAM_HEAD)
		head(c, s);
	else if (ev == STREAM_END)
		count_sum(c, r);
	else
		record(c, r, s->sealed);
}

enum count_place
count_place(const struct count *c, const struct count_cert *e)
{
	if (e->flags & (c->nrows > 0 ? COUNT_ROW : COUNT_DONE))
		return PLACE_ARCHIVE;
	if (c->nrows == 0 && (e->flags & COUNT_PRESENT))
		return PLACE_EARLIER;
	return e->flags & COUNT_REFUSED ? PLACE_REFUSED : PLACE_MISSING;
}

int
count_compares(const struct count *c)
{
	return c->exported > 0 && c->nrows + c->nresults > 0;
}

int
count_taken(const struct count_cert *e)
{
	return (e->flags &
		   (COUNT_DONE | COUNT_TAKEN | COUNT_PRESENT | COUNT_ROW)) != 0;
}

int
count_lost(const struct count_cert *e)
{
	return (e->flags & (COUNT_CERT | COUNT_ALONE)) != 0 &&
	    (e->flags & (COUNT_KEY | COUNT_ROW)) == 0;
}

/* Counts what only the end shows of a note: by group, and by row. */
static void
count_last(void *arg, const struct rec *r)
{
	struct count *c = arg;
	const struct count_cert *e = count_cert0(c, r);
	unsigned long long agents;

	if (e == NULL)
		return;
	if ((rec_is(r, "cert") ||
		(rec_is(r, "alone") && (e->flags & COUNT_CERT) == 0)) &&
	    count_lost(e))
		counters(&c->groups, r, "group")[GROUP_LOST]++;
	if (rec_is(r, "key") && count_place(c, e) != PLACE_ARCHIVE)
		counters(&c->groups, r, "group")[GROUP_MISSING]++;
	if (rec_is(r, "row") && rec_u64(r, "agents", &agents))
		c->fewer += agents < c->most_agents;
}

void
count_end(struct count *c)
{
	const struct count_cert *e = c->certs.v;
	size_t i;

	if (!EVP_DigestFinal_ex(c->md, c->sha256, NULL))
		heap_nomem();
	for (i = 0; i < c->certs.n; i++, e++) {
		c->lost += (unsigned)count_lost(e);
		c->only_rows += (e->flags & COUNT_ROW) &&
		    (e->flags & COUNT_KEY) == 0;
		c->refused += (e->flags & COUNT_REFUSED) && !count_taken(e);
		c->imported += (e->flags & COUNT_DONE) != 0;
		if ((e->flags & COUNT_KEY) == 0)
			continue;
		c->place[count_place(c, e)]++;
		c->proven += (e->flags & COUNT_OK) != 0;
		c->done += (e->flags & COUNT_DONE) != 0;
	}
	c->refused += c->refused_unnamed;
	notes_each(&c->notes, count_last, c);
	tally_sort(&c->types);
	tally_sort(&c->groups);
	tally_sort(&c->algs);
	tally_sort(&c->faults);
	tally_sort(&c->results);
}
