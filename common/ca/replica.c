#include "ca/replica.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/heap.h"
#include "ca/agent.h"
#include "ca/agent_hashes.h"
#include "ca/recipients.h"

#define FORMAT_CA "CA" /* KeyFormat: a CA wrote it as it likes */

int
replica_is(const struct rec *r)
{
	return rec_is(r, "archived") || rec_is(r, "audit") ||
	    rec_is(r, "setting") || rec_is(r, "agent") || rec_is(r, "name") ||
	    rec_is(r, "version") ||
	    (rec_is(r, "fault") && rec_get0(r, "cured_audit") != NULL);
}

#define TEXTS 12 /* of a record, at most */

/* Texts of a record, to be freed together. */
struct texts {
	struct text v[TEXTS];
	char *own[TEXTS];
	size_t n;
};

/* Takes one more text; a missing field is empty. */
static struct text
text(struct texts *t, const struct rec *r, const char *label)
{
	struct text *v = &t->v[t->n];

	v->s = "";
	v->n = 0;
	if ((t->own[t->n] = rec_text(r, label, &v->n)) != NULL)
		v->s = t->own[t->n];
	t->n++;
	return *v;
}

static struct store_seen
seen(struct texts *t, const struct rec *r)
{
	return (struct store_seen){ .group = text(t, r, "group"),
		.user = text(t, r, "user"),
		.mail = text(t, r, "mail"),
		.guid = text(t, r, "guid"),
		.source = text(t, r, "source"),
		.stream = text(t, r, "stream").s };
}

static void
texts_free(struct texts *t)
{
	while (t->n > 0)
		OPENSSL_free(t->own[--t->n]);
}

/* Reads a number from 1 to max that is no row's. */
static int
number(const struct rec *r, const char *label, int64_t max, int64_t *v,
    struct reason *w)
{
	unsigned long long n;

	if (!rec_u64(r, label, &n) || n < 1 || n > (unsigned long long)max)
		return reason_set(w, "copy",
		    "%s is not the number of a row of this archive: ca-dump "
		    "writes them",
		    label);
	*v = (int64_t)n;
	return 1;
}

/* Reads the certificate of a record.  Returns 1, or 0 with *w. */
static int
certificate(const struct rec *r, struct cert **c, struct reason *w)
{
	uint8_t *der;
	size_t n;
	int rc;

	if ((der = rec_b64(r, "cert", 0, &n)) == NULL)
		return reason_set(w, "certificate", "cert is not base64");
	rc = cert_new(c, der, n, w);
	OPENSSL_free(der);
	return rc;
}

/* Returns the status of a part whose result is 1, 0 or -1. */
static enum replica_status
part(int rc, unsigned long long *counter)
{
	*counter += rc != -1;
	return rc == -1 ? REPLICA_STOP : REPLICA_PART;
}

static enum replica_status
take_commit(struct replica *c, const struct rec *r, struct reason *w)
{
	struct texts t = { .n = 0 };
	struct store_commit e = { .id = 0 };
	enum replica_status rc = REPLICA_STOP;

	if (!number(r, "id", INT64_MAX - 1, &e.id, w))
		return REPLICA_STOP;
	e.when = text(&t, r, "when").s;
	e.caller = text(&t, r, "caller").s;
	e.action = text(&t, r, "action").s;
	e.detail = text(&t, r, "detail").s;
	e.digest = text(&t, r, "digest").s;
	e.hash = text(&t, r, "hash").s;
	if (strlen(e.hash) != 64)
		reason_set(w, "copy", "an audit row without its hash");
	else
		rc = part(restore_commit(c->db, &e, w), &c->ncommits);
	if (strcmp(e.action, REPLICA_LOAD) == 0 &&
	    table_get0(&c->loads, &e.id) == NULL)
		heap_nomem();
	c->last = e.id;
	(void)snprintf(c->head, sizeof(c->head), "%lld:%.64s", (long long)e.id,
	    e.hash);
	texts_free(&t);
	return rc;
}

static enum replica_status
take_setting(struct replica *c, const struct rec *r, struct reason *w)
{
	struct texts t = { .n = 0 };
	struct store_setting s = { .cert = NULL };
	unsigned long long v = 0;
	enum replica_status rc;
	uint8_t *der = NULL;

	if (!number(r, "audit", c->last, &s.audit, w))
		return REPLICA_STOP;
	s.name = text(&t, r, "name").s;
	if (!rec_u64(r, "value", &v)) {
		s.cert = der = rec_b64(r, "cert", 0, &s.len);
		v = 0;
	}
	s.value = (uint32_t)v;
	if (v > UINT32_MAX ||
	    (strcmp(s.name, "CACertificate") == 0) != (s.cert != NULL)) {
		reason_set(w, "copy", "setting %s: not its value", s.name);
		rc = REPLICA_STOP;
	} else
		rc = part(restore_setting(c->db, &s, w), &c->nsettings);
	OPENSSL_free(der);
	texts_free(&t);
	return rc;
}

static enum replica_status
take_agent(struct replica *c, const struct rec *r, struct reason *w)
{
	struct texts t = { .n = 0 };
	struct store_agent a = { .id = 0 };
	struct cert *cert;
	enum replica_status rc;

	if (!number(r, "id", INT64_MAX, &a.id, w) ||
	    !number(r, "audit", c->last, &a.audit, w) ||
	    !certificate(r, &cert, w))
		return REPLICA_STOP;
	a.added = text(&t, r, "added").s;
	rc = part(restore_agent(c->db, &a, cert, w), &c->nagents);
	cert_free(cert);
	texts_free(&t);
	return rc;
}

/* Returns KeyRecoveryHashes of two fields of a record; NULL: wrong ones. */
static char *
agents_of(const char *kra, const char *others)
{
	char *hashes = agent_hashes_row(kra), *s = NULL;

	if (hashes == NULL || *others == '\0')
		return hashes;
	if (asprintf(&s, "%s%s%s", hashes, *hashes == '\0' ? "" : "\n",
		others) == -1)
		heap_nomem();
	free(hashes);
	return s;
}

static enum replica_status
take_name(struct replica *c, const struct rec *r, struct reason *w)
{
	struct texts t = { .n = 0 };
	struct store_name a = { .replaces = NAME_NONE };
	unsigned long long replaces;
	int rc;

	if (!number(r, "name", INT64_MAX, &a.id, w) ||
	    !number(r, "id", INT64_MAX, &a.row, w) ||
	    !number(r, "audit", c->last, &a.audit, w))
		return REPLICA_STOP;
	a.seen = seen(&t, r);
	if (rec_u64(r, "replaces", &replaces) && replaces <= INT64_MAX)
		a.replaces = (int64_t)replaces;
	rc = restore_name(c->db, &a, w);
	texts_free(&t);
	return rc == 2 ? REPLICA_REFUSED : part(rc, &c->nnames);
}

/*
 * Takes the key of a row, still encrypted: to the agents named and no other,
 * unless it came from a CA.  *key is NULL if there is none.  Returns 1, or 0
 * with *w; the caller frees k->blob and k->hashes in either case.
 */
static int
take_key(struct replica *c, const struct rec *r, const char *audit,
    struct texts *t, struct store_key *k, const struct store_key **key,
    struct reason *w)
{
	const char *format = text(t, r, "format").s;
	const char *kra = text(t, r, "kra").s;
	const char *others = text(t, r, "recipients").s;

	*key = NULL;
	k->blob = rec_b64(r, "blob", 0, &k->len);
	k->hashes = agents_of(kra, others);
	k->format = format;
	if (k->blob == NULL || (k->len == 0) != (*format == '\0') ||
	    (k->len == 0) != (*kra == '\0' && *others == '\0'))
		return reason_set(w, "copy",
		    "its key is not in the record: load what ca-dump wrote");
	if (k->len == 0)
		return 1;
	*key = k;
	if (!number(r, audit, c->last, &k->audit, w))
		return 0;
	if (table_find0(&c->loads, &k->audit) != NULL)
		return strcmp(format, FORMAT_CA) == 0 ||
		    reason_set(w, "copy", "format is not " FORMAT_CA);
	if (strcmp(format, "MSBLOB") != 0 && strcmp(format, "PKCS8") != 0)
		return reason_set(w, "copy",
		    "format is neither MSBLOB nor PKCS8");
	/* a key that was dropped: the digest tells whether it is that */
	return k->len == STORE_DROPPED ||
	    agent_locked_to(c->agents, k->blob, k->len, k->hashes, w);
}

/* Takes the fields of the row.  Returns 1, or 0 with *w. */
static int
take_row(struct replica *c, const struct rec *r, struct texts *t,
    struct store_row *row, const struct cert *cert, struct reason *w)
{
	int of_ca = c->adopts;
	unsigned long long disposition;
	char hex[65];

	memset(row, 0, sizeof(*row));
	row->cert = cert;
	row->seen = seen(t, r);
	row->requester = text(t, r, "requester").s;
	row->caller = text(t, r, "caller").s;
	row->submitted = text(t, r, "submitted").s;
	if (!of_ca) {
		if (!number(r, "id", INT64_MAX, &row->id, w) ||
		    !number(r, "audit", c->last, &row->audit, w))
			return 0;
		of_ca = table_find0(&c->loads, &row->audit) != NULL;
	}
	/* a CA has more, such as 21 of what was revoked */
	if (!rec_u64(r, "disposition", &disposition) || disposition > 255 ||
	    (!of_ca && disposition != DISP_ISSUED &&
		disposition != DISP_FOREIGN))
		return reason_set(w, "copy", "disposition is neither %d nor %d",
		    DISP_FOREIGN, DISP_ISSUED);
	row->disposition = (int)disposition;
	return rec_eq(r, "sha256",
		   encode_hex(hex, cert->sha256, sizeof(cert->sha256))) ||
	    reason_set(w, "certificate",
		"sha256 is not that of the certificate in the record");
}

/*
 * Takes the key of a CA's row, which the CA and the key itself say for whom it
 * is.  Returns what take_key() does.
 */
static int
adopt_key(struct replica *c, const struct rec *r, struct texts *t,
    struct store_key *k, const struct store_key **key, struct reason *w)
{
	const char *kra = text(t, r, "kra").s;
	char *others, *own = NULL;

	*key = NULL;
	k->format = FORMAT_CA;
	if ((k->blob = rec_b64(r, "blob", 0, &k->len)) == NULL)
		return reason_set(w, "copy", "blob is not base64");
	if (k->len == 0)
		return 1;
	if ((others = recipients_of(k->blob, k->len, c->agents)) == NULL)
		return reason_set(w, "damaged",
		    "not CMS EnvelopedData, as an archived key is");
	if (*kra == '\0')
		kra = own = agent_hashes_of(c->agents, k->blob, k->len);
	k->hashes = agents_of(kra, others);
	free(others);
	free(own);
	*key = k;
	return k->hashes != NULL ||
	    reason_set(w, "copy", "kra is no list of SHA-1");
}

/* Adds a row of a CA, or its key.  Returns what restore_row() does. */
static int
adopt_row(struct replica *c, struct store_row *row, const struct store_key *k,
    struct reason *w)
{
	const struct store_known *known;
	int rc;

	if (*c->issuer == '\0')
		(void)snprintf(c->issuer, sizeof(c->issuer), "%s",
		    row->cert->issuer);
	if ((rc = store_find(c->db, row->cert->sha256, &known, w)) == -1)
		return -1;
	if (rc == 1)
		row->id = known->id;
	if (rc == 1 && (known->has_key || k == NULL))
		return 0;
	if (rc == 1)
		return store_put_key(c->db, row->id, k, w) ? 2 : -1;
	return store_next_id(c->db, &row->id, w) &&
		store_put_row(c->db, row, k, w) ?
	    1 :
	    -1;
}

/* Loads the agents once.  Returns 1, or 0 with *w. */
static int
know_agents(struct replica *c, struct reason *w)
{
	return c->agents != NULL || store_agent_all(c->db, &c->agents, w);
}

static enum replica_status
take_version(struct replica *c, const struct rec *r, struct reason *w)
{
	struct texts t = { .n = 0 };
	const struct store_key *key = NULL;
	struct store_key k = { .blob = NULL };
	enum replica_status rc = REPLICA_STOP;
	int64_t id = 0;

	if (know_agents(c, w) && number(r, "id", INT64_MAX, &id, w) &&
	    take_key(c, r, "audit", &t, &k, &key, w)) {
		if (key != NULL)
			rc = part(store_version_add(c->db, id, key, w),
			    &c->nversions);
		else
			reason_set(w, "copy", "a version without its key");
	}
	OPENSSL_free((uint8_t *)(uintptr_t)k.blob);
	free((char *)(uintptr_t)k.hashes);
	texts_free(&t);
	return rc;
}

static enum replica_status
take_fault(struct replica *c, const struct rec *r, struct reason *w)
{
	struct texts t = { .n = 0 };
	struct store_fault f = { .id = 0 };
	enum replica_status rc;

	if (!number(r, "id", INT64_MAX, &f.id, w) ||
	    !number(r, "audit", c->last, &f.audit, w) ||
	    (!rec_eq(r, "cured", "") &&
		(!number(r, "cured", INT64_MAX, &f.row, w) ||
		    !number(r, "cured_audit", c->last, &f.cured, w))))
		return REPLICA_STOP;
	f.source = text(&t, r, "source");
	f.reason = text(&t, r, "reason");
	f.detail = text(&t, r, "detail");
	f.group = text(&t, r, "group");
	f.user = text(&t, r, "user");
	f.stream = text(&t, r, "stream").s;
	rc = part(restore_fault(c->db, &f, w), &c->nfaults);
	texts_free(&t);
	return rc;
}

static enum replica_status
take_archived(struct replica *c, const struct rec *r, int64_t *id,
    char **hashes, struct reason *w)
{
	static const enum replica_status was[] = { REPLICA_PRESENT,
		REPLICA_IMPORTED, REPLICA_UPDATED };
	struct texts t = { .n = 0 };
	const struct store_key *key = NULL;
	struct store_key k = { .blob = NULL };
	struct cert *cert;
	struct store_row row;
	int rc, ok;

	if (!know_agents(c, w))
		return REPLICA_STOP;
	if (!certificate(r, &cert, w))
		return REPLICA_REFUSED;
	ok = take_row(c, r, &t, &row, cert, w) &&
	    (c->adopts ? adopt_key(c, r, &t, &k, &key, w) :
			 take_key(c, r, "key_audit", &t, &k, &key, w));
	rc = !ok      ? 0 :
	    c->adopts ? adopt_row(c, &row, key, w) :
			restore_row(c->db, &row, key, w);
	*id = row.id;
	OPENSSL_free((uint8_t *)(uintptr_t)k.blob);
	if (c->adopts && rc > 0)
		*hashes = (char *)(uintptr_t)k.hashes;
	else
		free((char *)(uintptr_t)k.hashes);
	texts_free(&t);
	cert_free(cert);
	return !ok ? REPLICA_REFUSED : rc == -1 ? REPLICA_STOP : was[rc];
}

/* Returns 1 for a CA's database: records of an archive have an audit row. */
static int
is_of_ca(const struct replica *c, const struct rec *r)
{
	return c->last == 0 && rec_eq(r, "audit", "") &&
	    (rec_is(r, "agent") || rec_either0(r, "recipients") != NULL);
}

enum replica_status
replica_record(struct replica *c, const struct rec *r, int64_t *id,
    char **hashes, struct reason *w)
{
	if (is_of_ca(c, r)) {
		c->adopts = 1;
		if (rec_is(r, "archived"))
			return take_archived(c, r, id, hashes, w);
		c->nlater++;
		return REPLICA_PART;
	}
	if (c->adopts) {
		reason_set(w, "copy",
		    "a record of an archive after rows of a CA's database: "
		    "load one after the other");
		return REPLICA_STOP;
	}
	if (rec_is(r, "audit"))
		return take_commit(c, r, w);
	if (c->last == 0) {
		reason_set(w, "copy",
		    "a row of another archive, without the audit rows before "
		    "it: load what ca-dump wrote");
		return REPLICA_STOP;
	}
	if (rec_is(r, "setting"))
		return take_setting(c, r, w);
	if (rec_is(r, "agent"))
		return take_agent(c, r, w);
	if (rec_is(r, "name"))
		return take_name(c, r, w);
	if (rec_is(r, "version"))
		return take_version(c, r, w);
	if (rec_is(r, "fault"))
		return take_fault(c, r, w);
	return take_archived(c, r, id, hashes, w);
}

void
replica_free(struct replica *c)
{
	sk_X509_pop_free(c->agents, X509_free);
	table_clear(&c->loads);
}
