#include "ca/edb.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/tool.h"
#include "ca/agent.h"
#include "ca/agent_hashes.h"
#include "ca/edb_join.h"
#include "ca/recipients.h"
#include "ese/bytes.h"
#include "ese/rows.h"

#define UTF16 1200 /* code page */
/* dispositions of requests that never became a certificate */
#define LAST_PENDING 9
#define FIRST_FAILED 30

/* The columns that are read. */
enum taken {
	KEY,
	AGENTS,
	DISPOSITION,
	SUBMITTED,
	REQUESTER,
	CALLER,
	CERT,
	HASH,
	COLUMNS
};

/* Their names, without the `$' in front of those of text. */
static const struct {
	int table;
	const char *name, *alias;
} names[COLUMNS] = {
	[KEY] = { REQUESTS, "RawArchivedKey", NULL },
	[AGENTS] = { REQUESTS, "KeyRecoveryHashes", NULL },
	[DISPOSITION] = { REQUESTS, "Disposition", NULL },
	[SUBMITTED] = { REQUESTS, "SubmittedWhen", NULL },
	[REQUESTER] = { REQUESTS, "RequesterName", NULL },
	[CALLER] = { REQUESTS, "CallerName", NULL },
	[CERT] = { CERTIFICATES, "RawCertificate", NULL },
	[HASH] = { CERTIFICATES, "CertificateHash", "CertificateHash2" },
};

/* A value that outlives the row, with a NUL behind it. */
struct value {
	uint8_t *p;
	size_t n, room;
};

struct edb {
	struct edb_join j;
	const struct schema_column *column[COLUMNS];
	struct value value[COLUMNS];
	char *recipients; /* of the archived key, or NULL */
	struct cert *cert;
	char submitted[32];
	char source[32];
	unsigned long long never_issued;
};

/* Makes room for n bytes and a NUL. */
static uint8_t *
room(struct value *v, size_t n)
{
	if (n >= v->room) {
		v->room = 2 * n + 64;
		if ((v->p = realloc(v->p, v->room)) == NULL)
			heap_nomem();
	}
	return v->p;
}

/* Adds a character as UTF-8. */
static void
put_char(struct value *v, uint32_t c)
{
	uint8_t *p = room(v, v->n + 4) + v->n;
	int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3, i;
	static const uint8_t first[] = { 0, 0xc0, 0xe0, 0xf0 };

	p[0] = (uint8_t)(first[more] | c >> 6 * more);
	for (i = 1; i <= more; i++)
		p[i] = (uint8_t)(0x80 | (c >> 6 * (more - i) & 0x3f));
	v->n += (size_t)more + 1;
}

/*
 * Converts text of UTF-16, or of bytes, to UTF-8.  Drops NULs at its end; half
 * a surrogate stays, and makes a base64 twin of the field.
 */
static void
put_text(struct value *v, const uint8_t *p, size_t n, int wide)
{
	size_t i, step = wide ? 2 : 1;
	uint32_t c, low;

	for (i = 0; i + step <= n; i += step) {
		c = wide ? le16(p + i) : p[i];
		low = wide && i + 4 <= n ? le16(p + i + 2) : 0;
		if (c >> 10 == 0x36 && low >> 10 == 0x37) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			i += 2;
		}
		put_char(v, c);
	}
	while (v->n > 0 && v->p[v->n - 1] == 0)
		v->n--;
}

/*
 * Copies the value of a column, empty if there is none.  Returns 1, or 0 after
 * a fault: it cannot be read.
 */
static int
get(struct edb *d, enum taken i)
{
	struct edb_side *s = &d->j.side[names[i].table];
	const struct schema_column *c = d->column[i];
	struct value *v = &d->value[i];
	const struct record_field *f;
	const uint8_t *p;
	struct reason w;
	size_t n;

	v->n = 0;
	room(v, 0)[0] = 0;
	if (!s->has || (f = record_get0(&s->rows.row, c)) == NULL ||
	    f->form == RECORD_NULL)
		return 1;
	if (!rows_value(&s->rows, f, &p, &n, &w)) {
		edb_fault(&d->j, names[i].table, s->now, c->name, &w);
		return 0;
	}
	if (c->type == SCHEMA_TEXT || c->type == SCHEMA_LONG_TEXT)
		put_text(v, p, n, c->codepage == UTF16);
	else {
		memcpy(room(v, n), p, n);
		v->n = n;
	}
	room(v, v->n)[v->n] = 0;
	return 1;
}

/*
 * Reads a time: JET has it as a double, days since 1899; a CA writes a
 * FILETIME, 100 ns since 1601, which as a double is next to zero.
 */
static void
put_time(struct edb *d)
{
	const struct value *v = &d->value[SUBMITTED];
	uint64_t raw = v->n == 8 ? le64(v->p) : 0;
	time_t t = (time_t)(raw / 10000000) - 11644473600;
	struct tm tm;
	double days;

	memcpy(&days, &raw, sizeof(days));
	if (days > 1 && days < 2958466) /* the year 10000 */
		t = (time_t)((days - 25569) * 86400 + .5);
	d->submitted[0] = '\0';
	if (raw != 0 && gmtime_r(&t, &tm) != NULL && tm.tm_year < 8100)
		(void)strftime(d->submitted, sizeof(d->submitted),
		    "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Checks that the archived key is one; notes whom it is encrypted to. */
static int
check_key(struct edb *d, struct reason *w)
{
	const struct value *v = &d->value[KEY];

	free(d->recipients);
	d->recipients = v->n == 0 ? NULL : recipients_of(v->p, v->n, NULL);
	return v->n == 0 || d->recipients != NULL ||
	    reason_set(w, "damaged",
		"not CMS EnvelopedData, as an archived key is");
}

/* Tidies the hashes of agents; another text becomes a fault. */
static void
tidy_agents(struct edb *d)
{
	struct value *v = &d->value[AGENTS];
	char *s = agent_hashes_tidy((const char *)v->p);
	struct reason w;

	if (s == NULL) {
		reason_set(&w, "damaged",
		    "not a list of SHA-1, as the agents of a key are");
		edb_fault(&d->j, REQUESTS, d->j.side[REQUESTS].now,
		    d->column[AGENTS]->name, &w);
	}
	v->n = s == NULL ? 0 : strlen(s);
	memcpy(room(v, v->n), s == NULL ? "" : s, v->n);
	v->p[v->n] = 0;
	free(s);
}

/* Checks the certificate against the hash in its row. */
static int
check_cert(struct edb *d, struct reason *w)
{
	const struct value *v = &d->value[HASH];
	char hex[41];
	size_t i, n = 0;

	if (!cert_new(&d->cert, d->value[CERT].p, d->value[CERT].n, w))
		return 0;
	encode_hex(hex, d->cert->sha1, 20);
	for (i = 0; i < v->n && n < 40; i++)
		if (v->p[i] != ' ' && hex[n++] != (v->p[i] | 0x20))
			break;
	return v->n == 0 || (i == v->n && n == 40) ||
	    reason_set(w, "certificate",
		"the SHA-1 of the certificate is %s, not what the row says",
		hex);
}

/* Handles a request without certificate: a fault, or it never had one. */
static void
no_cert(struct edb *d, uint32_t id, uint32_t disposition)
{
	struct reason w;

	if (d->value[KEY].n == 0 && d->j.side[REQUESTS].has &&
	    (disposition <= LAST_PENDING || disposition >= FIRST_FAILED)) {
		d->never_issued++;
		return;
	}
	reason_set(&w, "no-certificate",
	    d->value[KEY].n > 0 ? "an archived key without its certificate" :
				  "an issued certificate is not there");
	edb_fault(&d->j, REQUESTS, id, NULL, &w);
}

/* Returns 1 if the certificate has the usage of an agent. */
static int
is_agent(const struct cert *c)
{
	X509 *x;
	int rc;

	if (memmem(c->der, c->len, AGENT_EKU_DER, sizeof(AGENT_EKU_DER) - 1) ==
	    NULL)
		return 0;
	x = cert_x509(c);
	rc = x != NULL && agent_is(x);
	X509_free(x);
	return rc;
}

/* Makes a row of what is at hand.  Returns 1, or 0: it is none, or a fault. */
static int
make(struct edb *d, struct edb_row *row)
{
	struct edb_side *r = &d->j.side[REQUESTS],
			*c = &d->j.side[CERTIFICATES];
	struct store_found *f = &row->found;
	uint32_t id = r->has ? r->now : c->now, disposition;
	const struct value *v = d->value;
	struct reason w;
	int i, whole = 1;

	for (i = 0; i < COLUMNS; i++)
		if (!get(d, (enum taken)i) && (i == KEY || i == CERT))
			whole = 0;
	if (!whole)
		return 0;
	tidy_agents(d);
	disposition = v[DISPOSITION].n == 4 ? le32(v[DISPOSITION].p) : 0;
	if (v[CERT].n == 0) {
		no_cert(d, id, disposition);
		return 0;
	}
	if (!r->has) {
		reason_set(&w, "damaged",
		    "a certificate without its row in Requests, where its key "
		    "would be");
		edb_fault(&d->j, CERTIFICATES, id, NULL, &w);
	}
	if (!check_key(d, &w)) {
		edb_fault(&d->j, REQUESTS, id, d->column[KEY]->name, &w);
		return 0;
	}
	if (!check_cert(d, &w)) {
		edb_fault(&d->j, CERTIFICATES, id, d->column[CERT]->name, &w);
		return 0;
	}
	put_time(d);
	memset(row, 0, sizeof(*row));
	f->id = id;
	f->disposition = (int)disposition;
	f->submitted = d->submitted;
	f->requester = (const char *)v[REQUESTER].p;
	f->caller = (const char *)v[CALLER].p;
	f->hashes = (const char *)v[AGENTS].p;
	f->ski = d->cert->ski;
	f->seen.stream = f->format = "";
	(void)snprintf(d->source, sizeof(d->source), "request %u", id);
	f->seen.source.s = d->source;
	f->seen.source.n = strlen(d->source);
	f->cert = v[CERT].p;
	f->certlen = v[CERT].n;
	f->blob = v[KEY].p;
	f->bloblen = v[KEY].n;
	row->cert = d->cert;
	row->recipients = v[KEY].n > 0 && v[AGENTS].n == 0 ? d->recipients : "";
	row->is_agent = is_agent(d->cert);
	return 1;
}

struct edb *
edb_new(struct ese *e, const struct catalog *c)
{
	struct edb *d = calloc(1, sizeof(*d));
	const struct schema_table *t;
	int i;

	if (d == NULL)
		heap_nomem();
	edb_join_open(&d->j, e, c);
	for (i = 0; i < COLUMNS; i++) {
		t = d->j.side[names[i].table].rows.table;
		d->column[i] = catalog_find0(t, names[i].name);
		if (d->column[i] == NULL && names[i].alias != NULL)
			d->column[i] = catalog_find0(t, names[i].alias);
	}
	return d;
}

void
edb_free(struct edb *d)
{
	int i;

	edb_join_close(&d->j);
	for (i = 0; i < COLUMNS; i++)
		free(d->value[i].p);
	free(d->recipients);
	cert_free(d->cert);
	free(d);
}

int
edb_next(struct edb *d, struct edb_row *row)
{
	int rc = 0;

	while (!rc && edb_join_next(&d->j)) {
		cert_free(d->cert);
		d->cert = NULL;
		rc = make(d, row);
	}
	return rc;
}

unsigned long long
edb_never_issued(const struct edb *d)
{
	return d->never_issued;
}
