#include "ca/setup.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/heap.h"
#include "base/msg.h"
#include "base/tool.h"
#include "ca/agent.h"
#include "ca/agent_pins.h"
#include "ca/hresult.h"
#include "ca/setting.h"
#include "record/stream_write.h"

int
setup_ca(struct setup *s, X509 *ca, struct reason *w)
{
	uint8_t *der = NULL;
	X509 *had;
	int n, rc = 1;

	if (!store_ca_get(s->db, &had, w))
		return 0;
	if (had != NULL && ca != NULL && X509_cmp(had, ca) != 0) {
		X509_free(had);
		return reason_set(w, "usage",
		    "-c is not the CA of this archive");
	}
	if (had != NULL) {
		s->ca = had;
	} else if (ca != NULL) {
		s->changed = 1;
		s->ca = X509_dup(ca);
		if (s->ca == NULL || (n = i2d_X509(ca, &der)) <= 0)
			heap_nomem();
		rc = store_ca_set(s->db, der, (size_t)n, w);
		OPENSSL_free(der);
	} else {
		msg_warn("no -c: every certificate will be foreign, and who "
			 "issued the KRA certificates is not checked");
	}
	return rc;
}

static void
put_kra(struct rec_out *o, const struct cert *c, const char *status,
    const char *reason)
{
	rec_begin(o, "kra");
	rec_put_u64(o, "n", o->n + 1);
	rec_puts(o, "status", status);
	rec_put_hex(o, "sha1", c->sha1, sizeof(c->sha1));
	rec_put_hex(o, "sha256", c->sha256, sizeof(c->sha256));
	stream_put_names(o, c);
	rec_puts(o, "alg", c->alg);
	rec_puts(o, "reason", reason);
	rec_put_b64(o, "cert", c->der, c->len);
	if (rec_end(o) != 1)
		heap_nomem();
}

/*
 * Returns 1 if the archive has another with its issuer and serial number: an
 * archived key names its agents by these (RFC 5652 section 6.2.1), and one of
 * the two could not open it.  Returns 0 if not, or -1 with *w.
 */
static int
has_namesake(const struct setup *s, const X509 *x, struct reason *w)
{
	STACK_OF(X509) *kras;
	X509 *y;
	int i, found = 0;

	if (!store_agent_all(s->db, &kras, w))
		return -1;
	for (i = 0; i < sk_X509_num(kras); i++) {
		y = sk_X509_value(kras, i);
		found |= X509_issuer_and_serial_cmp(x, y) == 0 &&
		    X509_cmp(x, y) != 0;
	}
	sk_X509_pop_free(kras, X509_free);
	return found;
}

/* Checks that there is none.  Returns 1, 0 with *w, or -1 with *w. */
static int
distinct(const struct setup *s, const struct cert *c, const X509 *x,
    struct reason *w)
{
	int rc = has_namesake(s, x, w);

	if (rc == 1)
		reason_set(w, "kra",
		    "KRA %s: another one has its issuer and serial number, by "
		    "which an archived key names its agents (RFC 5652 section "
		    "6.2.1): issue it anew, under another number; nothing was "
		    "written" HR_NO_VALID_KRA,
		    c->subject);
	return rc == -1 ? -1 : rc == 0;
}

/* Adds to the text of the commit: an agent was forced, left or came back. */
static void
say(struct setup *s, const char *what, const char *sha1)
{
	char *more;

	if (asprintf(&more, "%s %s=%s", s->said == NULL ? "" : s->said, what,
		sha1) == -1)
		heap_nomem();
	free(s->said);
	s->said = more;
	s->changed = 1;
}

int
setup_agent(struct setup *s, const struct cert *c, struct reason *w)
{
	X509 *x = cert_x509(c);
	struct reason bad = { "", "" };
	char sha1[41];
	int fits, known, left, ok, rc;

	if (x != NULL && (rc = distinct(s, c, x, w)) != 1) {
		X509_free(x);
		return rc;
	}
	fits = x != NULL && agent_check(x, s->ca, &bad);
	/* -f cannot help where nothing can be encrypted to it */
	ok = fits || (x != NULL && s->force && agent_usable(x, w));
	X509_free(x);
	if (!ok)
		return reason_set(w, "kra",
		    "KRA %s: %s%s; nothing was written" HR_NO_VALID_KRA,
		    c->subject,
		    x == NULL ?
			"its key cannot be read" :
			s->force ?
			"its key cannot encrypt (a signature-only key?)" :
			bad.detail,
		    s->force || x == NULL ? "" :
					    " (-f accepts it all the "
					    "same)");
	encode_hex(sha1, c->sha1, sizeof(c->sha1));
	if (!fits)
		msg_warn("warning: KRA %s: %s", c->subject, bad.detail);
	if ((known = fits ? 1 : store_agent_forced(s->db, sha1, w)) == -1 ||
	    (left = store_agent_left(s->db, sha1, w)) == -1 ||
	    (rc = store_agent_add(s->db, c, w)) == -1)
		return -1;
	s->added += (unsigned)rc;
	if (!known)
		say(s, "forced", sha1);
	if (left)
		say(s, "back", sha1);
	s->back += (unsigned)left;
	put_kra(s->out, c,
	    !known	? "forced" :
		left	? "back" :
		rc == 0 ? "present" :
			  "added",
	    bad.detail);
	return 1;
}

int
setup_leave(struct setup *s, const struct cert *c, struct reason *w)
{
	char sha1[41], sha256[65];
	int there, left;

	encode_hex(sha1, c->sha1, sizeof(c->sha1));
	encode_hex(sha256, c->sha256, sizeof(c->sha256));
	if ((there = store_agent_is(s->db, sha256, w)) == -1 ||
	    (left = store_agent_left(s->db, sha1, w)) == -1)
		return -1;
	if (!there)
		return reason_set(w, "kra",
		    "KRA %s: no agent of this archive; nothing was written",
		    c->subject);
	if (!left) {
		say(s, "left", sha1);
		s->leaving++;
	}
	put_kra(s->out, c, "left", "");
	return 1;
}

/* Counts the agents after the commit.  Returns 1, or 0 with *w. */
static int
agents_then(const struct setup *s, uint32_t *n, struct reason *w)
{
	uint32_t count = 0;

	if (!agent_present_count(s->db, n, w) ||
	    (!s->has_count && s->leaving > 0 &&
		!store_setting_get(s->db, "KRACertCount", &count, w)))
		return 0;
	*n += s->back - s->leaving;
	if (s->leaving > 0 && *n == 0)
		return reason_set(w, "usage",
		    "no agent would stay: add another first; nothing was "
		    "written");
	return count <= *n ||
	    reason_set(w, "usage",
		"%u agents would stay, and KRACertCount is %u: give -N, too; "
		"nothing was written",
		*n, count);
}

/* Checks -N against the agents after the commit. */
static int
count_ok(const struct setup *s, struct reason *w)
{
	uint32_t n;

	return agents_then(s, &n, w) &&
	    (s->count <= n ||
		reason_set(w, "usage", "-N %u: the archive has %u KRAs",
		    s->count, n));
}

/* Warns if keys open for one agent only.  Returns 1, or 0 with *w. */
static int
warn_of_one(const struct setup *s, struct reason *w)
{
	uint32_t agents, count;

	if (!agents_then(s, &agents, w) ||
	    !store_setting_get(s->db, "KRACertCount", &count, w))
		return 0;
	if (agents == 1)
		msg_warn("warning: one agent: if its key is lost, so are all "
			 "archived keys: add another before the import, it "
			 "opens only what is archived afterwards");
	else if (count == 1)
		msg_warn("warning: KRACertCount is 1: each key opens for one "
			 "agent, and is lost with the key of that: take 2, or "
			 "0 for all");
	return 1;
}

int
setup_commit(struct setup *s, char head[AUDIT_HEAD_MAX], struct reason *w)
{
	char detail[256] = "", *all;
	const char *name;
	size_t n = 0, i;
	uint32_t v;
	int is_count, rc;

	head[0] = '\0';
	if (!count_ok(s, w))
		return 0;
	for (i = 0; (name = setting_name0(i)) != NULL; i++) {
		is_count = strcmp(name, "KRACertCount") == 0;
		/* a new archive gets all settings, an old one what is given */
		if (!s->fresh && !(is_count && s->has_count))
			continue;
		v = is_count ? s->count : 0;
		s->changed = 1;
		if (!store_setting_set(s->db, name, v, w))
			return 0;
		n += (size_t)snprintf(detail + n, sizeof(detail) - n, "%s=%u ",
		    name, v);
	}
	if (!s->changed && s->added == 0) {
		store_rollback(s->db);
		return 1;
	}
	if (!warn_of_one(s, w))
		return 0;
	if (asprintf(&all, "%skras=%u%s", detail, s->added,
		s->said == NULL ? "" : s->said) == -1)
		heap_nomem();
	rc = store_commit(s->db, tool_caller(), s->fresh ? "init" : "kra", all,
	    head, w);
	free(all);
	return rc;
}
