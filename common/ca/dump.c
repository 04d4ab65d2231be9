#include "ca/dump.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/tool.h"
#include "ca/agent_hashes.h"
#include "ca/fault.h"

/* Ends a record.  Returns 1, or 0 with *w if it is too long. */
static int
end(struct rec_out *o, const char *what, int64_t id, struct reason *w)
{
	int rc = rec_end(o);

	if (rc == -1)
		tool_lost();
	return rc == 1 ||
	    reason_set(w, "ceiling",
		"%s %lld: its record would be longer than %d bytes: copy the "
		"archive as it is (its file, or pg_dump)",
		what, (long long)id, REC_LINE_MAX);
}

static int
put_commit(struct rec_out *o, const struct store_commit *e, struct reason *w)
{
	rec_begin(o, "audit");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_u64(o, "id", (unsigned long long)e->id);
	rec_puts(o, "when", e->when);
	rec_puts(o, "caller", e->caller);
	rec_puts(o, "action", e->action);
	rec_puts(o, "detail", e->detail);
	rec_puts(o, "digest", e->digest);
	rec_puts(o, "hash", e->hash);
	return end(o, "audit row", e->id, w);
}

static int
put_setting(struct rec_out *o, const struct store_setting *s, struct reason *w)
{
	rec_begin(o, "setting");
	rec_put_u64(o, "n", o->n + 1);
	rec_puts(o, "name", s->name);
	if (s->cert == NULL)
		rec_put_u64(o, "value", s->value);
	else
		rec_puts(o, "value", "");
	rec_put_u64(o, "audit", (unsigned long long)s->audit);
	rec_put_b64(o, "cert", s->cert, s->cert == NULL ? 0 : s->len);
	return end(o, "setting of audit row", s->audit, w);
}

static int
put_agent(struct rec_out *o, const struct store_agent *a, struct reason *w)
{
	rec_begin(o, "agent");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_u64(o, "id", (unsigned long long)a->id);
	rec_puts(o, "added", a->added);
	rec_put_u64(o, "audit", (unsigned long long)a->audit);
	rec_put_b64(o, "cert", a->cert, a->len);
	return end(o, "agent", a->id, w);
}

int
dump_head(struct store *db, struct rec_out *o, struct reason *w)
{
	char name[SETTING_NAME_ROOM] = "";
	struct store_commit c = { .id = 0 };
	struct store_agent a = { .id = 0 };
	struct store_setting s;
	int rc;

	while ((rc = store_next_commit(db, c.id, &c, w)) == 1)
		if (!put_commit(o, &c, w))
			return 0;
	while (rc == 0 && (rc = store_next_setting(db, name, &s, w)) == 1) {
		if (!put_setting(o, &s, w))
			return 0;
		(void)snprintf(name, sizeof(name), "%s", s.name);
		rc = 0;
	}
	while (rc == 0 && (rc = store_next_agent(db, a.id, &a, w)) == 1) {
		if (!put_agent(o, &a, w))
			return 0;
		rc = 0;
	}
	return rc == 0;
}

int
dump_name(struct rec_out *o, const struct store_name *a, struct reason *w)
{
	rec_begin(o, "name");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_u64(o, "id", (unsigned long long)a->row);
	rec_put_u64(o, "name", (unsigned long long)a->id);
	rec_put_text(o, "group", a->seen.group);
	rec_put_text(o, "user", a->seen.user);
	rec_put_text(o, "mail", a->seen.mail);
	rec_put_text(o, "guid", a->seen.guid);
	rec_put_text(o, "source", a->seen.source);
	rec_puts(o, "stream", a->seen.stream);
	if (a->replaces == NAME_NONE)
		rec_puts(o, "replaces", "");
	else
		rec_put_u64(o, "replaces", (unsigned long long)a->replaces);
	rec_put_u64(o, "audit", (unsigned long long)a->audit);
	return end(o, "name", a->id, w);
}

int
dump_names(struct store *db, struct rec_out *o, struct reason *w)
{
	struct store_name a = { .id = 0 };
	int rc;

	while ((rc = store_next_name(db, a.id, &a, w)) == 1)
		if (!dump_name(o, &a, w))
			return 0;
	return rc == 0;
}

static int
put_version(struct rec_out *o, const struct store_version *v, struct reason *w)
{
	char *kra = agent_hashes_record(v->key.hashes);

	rec_begin(o, "version");
	rec_put_u64(o, "n", o->n + 1);
	rec_put_u64(o, "id", (unsigned long long)v->id);
	rec_put_u64(o, "audit", (unsigned long long)v->key.audit);
	rec_puts(o, "kra", kra);
	rec_puts(o, "format", v->key.format);
	rec_put_b64(o, "blob", v->key.blob, v->key.len);
	free(kra);
	return end(o, "version of the key of row", v->id, w);
}

int
dump_tail(struct store *db, struct rec_out *o, struct reason *w)
{
	struct store_version v = { .id = 0 };
	struct store_fault f = { .id = 0 };
	int rc;

	while ((rc = store_next_version(db, v.id, v.key.audit, &v, w)) == 1)
		if (!put_version(o, &v, w))
			return 0;
	while (rc == 0 && (rc = store_next_fault(db, f.id, &f, w)) == 1) {
		if (!fault_put(o, &f, w))
			return 0;
		rc = 0;
	}
	return rc == 0;
}
