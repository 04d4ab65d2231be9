#include "report/count.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/text.h"
#include "base/tool.h"
#include "key/cert.h"

#define USER_ID 16 /* bytes of the hash of a user */

void
count_init(struct count *c)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t t = epoch == NULL ? time(NULL) :
				   (time_t)strtoll(epoch, NULL, 10);
	struct tm tm;

	memset(c, 0, sizeof(*c));
	c->certs = TABLE_OF(struct count_entry, COUNT_ID, COUNT_MAX);
	c->users = c->others = TABLE_OF(uint8_t[USER_ID], USER_ID, COUNT_MAX);
	years_init(&c->years);
	if (gmtime_r(&t, &tm) == NULL)
		msg_die("SOURCE_DATE_EPOCH is no time");
	(void)encode_time(c->now, &tm);
	if ((c->fp = fdopen(tool_tmpfile(), "w+")) == NULL ||
	    (c->notes = rec_out_new(c->fp)) == NULL ||
	    (c->md = EVP_MD_CTX_new()) == NULL ||
	    (c->id = EVP_MD_CTX_new()) == NULL ||
	    !EVP_DigestInit_ex(c->md, EVP_sha256(), NULL) ||
	    !EVP_DigestInit_ex(c->id, EVP_sha256(), NULL))
		heap_nomem();
}

void
count_free(struct count *c)
{
	table_clear(&c->certs);
	table_clear(&c->users);
	table_clear(&c->others);
	tally_free(&c->types);
	tally_free(&c->groups);
	tally_free(&c->algs);
	tally_free(&c->kras);
	tally_free(&c->faults);
	tally_free(&c->results);
	years_free(&c->years);
	EVP_MD_CTX_free(c->md);
	EVP_MD_CTX_free(c->id);
	rec_out_free(c->notes);
	(void)fclose(c->fp);
}

/* Notes some fields of the record at hand: labels, apart by blanks. */
static void
note(struct count *c, const struct rec *r, const char *labels)
{
	char type[16], label[32];
	size_t n;

	(void)snprintf(type, sizeof(type), "%.*s", (int)r->field[0].vlen,
	    r->field[0].val);
	rec_begin(c->notes, type);
	for (; *labels != '\0'; labels += n + (labels[n] == ' ')) {
		n = strcspn(labels, " ");
		(void)snprintf(label, sizeof(label), "%.*s", (int)n, labels);
		rec_put_field(c->notes, r, label);
	}
	if (rec_end(c->notes) == -1)
		msg_die("cannot write the temporary file: %s (set TMPDIR)",
		    strerror(errno));
}

/* The counters that a field of the record names. */
static unsigned long long *
counters(struct tally *t, const struct rec *r, const char *label)
{
	unsigned long long *v;
	char *own;

	v = tally_get0(t, rec_text_own(r, label, &own));
	OPENSSL_free(own);
	return v;
}

/* The entry of a name in one of the tables. */
static void *
get0(struct table *t, const uint8_t *id)
{
	void *e = table_get0(t, id);

	if (e == NULL)
		msg_die("more than %d certificates or users, the ceiling: "
			"make a report for a part of them",
		    COUNT_MAX);
	return e;
}

/* The thumbprint of the record; *w holds the entry, or NULL without one. */
static struct count_entry *
entry(struct count *c, const struct rec *r)
{
	struct count_entry *e;
	uint8_t id[COUNT_ID], sha256[32];

	if (!rec_unhex(r, "sha1", id, sizeof(id)))
		return NULL;
	e = get0(&c->certs, id);
	if (!rec_unhex(r, "sha256", sha256, sizeof(sha256)))
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
mark(struct count_entry *e, uint32_t flag)
{
	uint32_t had = e->flags & flag;

	e->flags |= flag;
	return had == 0;
}

/* Is this the first record with this user and this other field? */
static int
first(struct count *c, struct table *t, const struct rec *r, const char *label)
{
	size_t before = t->n;
	uint8_t id[32];
	char *own[2];
	struct text g = rec_text_own(r, label, &own[0]),
		    u = rec_text_own(r, "user", &own[1]);

	if (!EVP_DigestInit_ex(c->id, NULL, NULL) ||
	    !EVP_DigestUpdate(c->id, &g.n, sizeof(g.n)) ||
	    !EVP_DigestUpdate(c->id, g.s, g.n) ||
	    !EVP_DigestUpdate(c->id, u.s, u.n) ||
	    !EVP_DigestFinal_ex(c->id, id, NULL))
		heap_nomem();
	OPENSSL_free(own[0]);
	OPENSSL_free(own[1]);
	(void)get0(t, id);
	return t->n > before;
}

/* Counts the user of the record in its group, once. */
static unsigned long long *
user(struct count *c, const struct rec *r)
{
	unsigned long long *group = counters(&c->groups, r, "group");

	group[GROUP_USERS] += (unsigned)first(c, &c->users, r, "group");
	return group;
}

/* Counts a certificate whose key exists, the first time that it is seen. */
static void
key(struct count *c, const struct rec *r)
{
	const struct rec_field *from = rec_get0(r, "not_before");
	const struct rec_field *to = rec_get0(r, "not_after");

	c->keys++;
	counters(&c->algs, r, "alg")[0]++;
	c->v1 += (unsigned)rec_eq(r, "version", "1");
	if (from == NULL || to == NULL) {
		years_add(&c->years, "", 0, "", 0);
		return;
	}
	years_add(&c->years, from->val, from->vlen, to->val, to->vlen);
	c->expired += to->vlen == strlen(c->now) &&
	    memcmp(to->val, c->now, to->vlen) < 0;
}

/* Is it a certificate of a CA?  ca-import takes none: its key is no user's. */
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

/* A `key' or `cert' record. */
static void
exported(struct count *c, const struct rec *r)
{
	struct count_entry *e = entry(c, r);
	unsigned long long *group = NULL;
	uint32_t flag = rec_is(r, "key") ? COUNT_KEY :
	    of_ca(r)			 ? COUNT_CA :
	    rec_eq(r, "use", "sign")	 ? COUNT_SIGN :
					   COUNT_CERT;

	if (e == NULL) {
		c->unnamed++;
		return;
	}
	if ((e->flags & (COUNT_KEY | COUNT_ROW)) == 0 && flag == COUNT_KEY)
		key(c, r);
	if (flag == COUNT_KEY)
		group = user(c, r);
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
		note(c, r, "group user mail serial not_after sha1 source");
}

/* An `archived' record. */
static void
row(struct count *c, const struct rec *r)
{
	struct count_entry *e = entry(c, r);
	const struct rec_field *kra = rec_get0(r, "kra");
	size_t i, n;

	c->nrows++;
	if (e == NULL || kra == NULL)
		return;
	if (kra->vlen == 0) {
		c->alone += (unsigned)mark(e, COUNT_ALONE);
		return;
	}
	if ((e->flags & (COUNT_KEY | COUNT_ROW)) == 0)
		key(c, r);
	if (!mark(e, COUNT_ROW))
		return;
	c->rows++;
	user(c, r)[GROUP_ROWS]++;
	for (i = 0; i < kra->vlen; i += n + 1) {
		for (n = 0; i + n < kra->vlen && kra->val[i + n] != ' '; n++)
			continue;
		tally_get0(&c->kras, (struct text){ kra->val + i, n })[0]++;
	}
}

/* Does the result say that the row has another user? */
static int
elsewhere(const struct rec *r)
{
	const struct rec_field *reason = rec_get0(r, "reason");

	return (rec_eq(r, "status", "present") ||
		   rec_eq(r, "status", "updated")) &&
	    reason != NULL && reason->vlen > 4 &&
	    memcmp(reason->val, "row ", 4) == 0;
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

/* A `result' record. */
static void
result(struct count *c, const struct rec *r)
{
	struct count_entry *e = entry(c, r);
	const struct rec_field *kra = rec_get0(r, "kra");

	c->nresults++;
	outcome(c, r);
	if (elsewhere(r) && first(c, &c->others, r, "sha1"))
		note(c, r, "sha1 user id reason");
	if (rec_eq(r, "status", "refused")) {
		note(c, r, "sha1 user status reason");
		c->refused_records++;
		if (e == NULL)
			c->refused_unnamed++;
		else
			(void)mark(e, COUNT_REFUSED);
	} else if (rec_eq(r, "status", "fault")) {
		note(c, r, "sha1 user status reason");
		c->result_faults++;
	} else if (e != NULL && rec_eq(r, "status", "present"))
		(void)mark(e, COUNT_PRESENT);
	else if (e != NULL && kra != NULL && kra->vlen > 0)
		(void)mark(e, COUNT_DONE);
	else if (e != NULL && rec_eq(r, "reason", "")) /* not with -n */
		(void)mark(e, COUNT_TAKEN);
}

/* A `verdict' record. */
static void
verdict(struct count *c, const struct rec *r)
{
	struct count_entry *e = entry(c, r);

	c->nverdicts++;
	if (rec_eq(r, "status", "bad")) {
		c->bad++;
		note(c, r, "sha1 user status reason");
		if (e != NULL)
			(void)mark(e, COUNT_BAD);
	} else if (e != NULL && rec_eq(r, "status", "ok"))
		(void)mark(e, COUNT_OK);
	else if (rec_eq(r, "status", "fault"))
		counters(&c->faults, r, "reason")[1]++;
}

/* The head of a sealed stream, and who signed it. */
static void
head(struct count *c, const struct stream_in *s)
{
	char subject[TALLY_TEXT] = "";
	uint8_t *der = NULL;
	struct cert *cert;
	struct reason w;
	int n = i2d_X509(s->signer, &der);

	if (n > 0 && cert_new(&cert, der, (size_t)n, &w)) {
		text_vis(subject, sizeof(subject), cert->subject,
		    strlen(cert->subject));
		cert_free(cert);
	}
	OPENSSL_free(der);
	c->heads++;
	rec_begin(c->notes, "stream");
	rec_put_field(c->notes, &s->rec, "id");
	rec_put_field(c->notes, &s->rec, "time");
	rec_put_field(c->notes, &s->rec, "signer");
	rec_puts(c->notes, "subject", subject);
	if (rec_end(c->notes) == -1)
		tool_lost();
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
		c->ends++;
	else if (rec_is(r, "key") || rec_is(r, "cert"))
		exported(c, r);
	else if (rec_is(r, "archived"))
		row(c, r);
	else if (rec_is(r, "result"))
		result(c, r);
	else if (rec_is(r, "verdict"))
		verdict(c, r);
	else if (rec_is(r, "kra")) {
		c->agents++;
		note(c, r, "sha1 subject not_after");
	} else if (rec_is(r, "fault")) {
		c->nfaults++;
		counters(&c->faults, r, "reason")[0]++;
		note(c, r, "source reason detail");
	}
}

enum count_place
count_place(const struct count *c, const struct count_entry *e)
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
count_taken(const struct count_entry *e)
{
	return (e->flags &
		   (COUNT_DONE | COUNT_TAKEN | COUNT_PRESENT | COUNT_ROW)) != 0;
}

int
count_lost(const struct count_entry *e)
{
	return (e->flags & COUNT_CERT) != 0 &&
	    (e->flags & (COUNT_KEY | COUNT_ROW)) == 0;
}

const struct count_entry *
count_entry0(struct count *c, const struct rec *r)
{
	uint8_t id[COUNT_ID];

	return rec_unhex(r, "sha1", id, sizeof(id)) ? get0(&c->certs, id) :
						      NULL;
}

void
count_notes(struct count *c, void (*each)(void *, const struct rec *),
    void *arg)
{
	struct rec_in *in;
	struct rec r;
	struct reason w;
	int rc;

	if (fflush(c->fp) == EOF || lseek(fileno(c->fp), 0, SEEK_SET) == -1)
		msg_die("cannot write the temporary file: %s (set TMPDIR)",
		    strerror(errno));
	if ((in = rec_in_new(fileno(c->fp))) == NULL)
		heap_nomem();
	while ((rc = rec_in_read(in, &r, &w)) == 1)
		each(arg, &r);
	rec_in_free(in);
	if (rc == -1)
		msg_die("the temporary file: %s", w.detail);
}

/* Counts what is lost or missing in its group. */
static void
by_group(void *arg, const struct rec *r)
{
	struct count *c = arg;
	const struct count_entry *e = count_entry0(c, r);

	if (e == NULL)
		return;
	if (rec_is(r, "cert") && count_lost(e))
		counters(&c->groups, r, "group")[GROUP_LOST]++;
	if (rec_is(r, "key") && count_place(c, e) != PLACE_ARCHIVE)
		counters(&c->groups, r, "group")[GROUP_MISSING]++;
}

void
count_end(struct count *c)
{
	const struct count_entry *e = c->certs.v;
	size_t i;

	if (!EVP_DigestFinal_ex(c->md, c->sha256, NULL))
		heap_nomem();
	for (i = 0; i < c->certs.n; i++, e++) {
		c->lost += (unsigned)count_lost(e);
		c->only_rows += (e->flags & COUNT_ROW) &&
		    (e->flags & COUNT_KEY) == 0;
		c->refused += (e->flags & COUNT_REFUSED) && !count_taken(e);
		if ((e->flags & COUNT_KEY) == 0)
			continue;
		c->place[count_place(c, e)]++;
		c->proven += (e->flags & COUNT_OK) != 0;
		c->done += (e->flags & COUNT_DONE) != 0;
	}
	c->refused += c->refused_unnamed;
	count_notes(c, by_group, c);
	tally_sort(&c->types);
	tally_sort(&c->groups);
	tally_sort(&c->algs);
	tally_sort(&c->kras);
	tally_sort(&c->faults);
	tally_sort(&c->results);
}
