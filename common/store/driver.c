#include "store/driver.h"

#include <string.h>
#include <time.h>

#include "base/encode.h"

/* clang-format off */
const char sql_schema[] =
"create table request("
" RequestID integer primary key,"
" RawArchivedKey blob, KeyRecoveryHashes text,"
" StatusCode integer not null, Disposition integer not null,"
" DispositionMessage text not null,"
" SubmittedWhen text not null, ResolvedWhen text not null,"
" RequesterName text not null, CallerName text not null,"
" DistinguishedName text not null, CommonName text not null,"
" OrgUnit text not null, Organization text not null, EMail text not null,"
" KeyFormat text, KmsGroup text not null, KmsUser text not null,"
" KmsMail text not null, MailboxGuid text not null, Source text not null,"
" StreamId text not null, CertAudit integer not null, KeyAudit integer);"
"create index request_CertAudit on request(CertAudit);"
"create index request_KeyAudit on request(KeyAudit)"
" where KeyAudit is not null;"
"create table certificate("
" RequestID integer primary key references request,"
" RawCertificate blob not null, CertificateHash text not null,"
" Sha256 text not null unique, SerialNumber text not null,"
" IssuerName text not null, NotBefore text not null, NotAfter text not null,"
" SubjectKeyIdentifier text not null, RawPublicKey blob,"
" PublicKeyLength integer not null, PublicKeyAlgorithm text not null,"
" RawPublicKeyAlgorithmParameters blob, SpkiHash text not null,"
" UPN text not null, DistinguishedName text not null,"
" CommonName text not null, OrgUnit text not null,"
" Organization text not null, EMail text not null);"
"create index certificate_SerialNumber on certificate(SerialNumber);"
"create table kra(KraID integer primary key,"
" CertificateHash text not null, Sha256 text not null unique,"
" RawCertificate blob not null, AddedWhen text not null,"
" AuditID integer not null);"
"create table config(Name text primary key, Value, AuditID integer not null)"
" without rowid;"
"create table audit(AuditID integer primary key, AuditWhen text not null,"
" Caller text not null, Action text not null, Detail text not null,"
" Digest text not null, Hash text not null);"
"create trigger audit_update before update on audit"
" begin select raise(abort, 'the audit table is append-only'); end;"
"create trigger audit_delete before delete on audit"
" begin select raise(abort, 'the audit table is append-only'); end;";

/*
 * The same for PostgreSQL, where a role may have fewer rights than the owner:
 * append-only and written once are triggers that hold for all of them, and
 * key_of() shows an importer, who may read no key, what its own transaction
 * wrote.
 */
#define TEXT " text collate \"C\""
#define NEED TEXT " not null"
const char sql_schema_pg[] =
"create table request("
" RequestID bigint primary key,"
" RawArchivedKey bytea, KeyRecoveryHashes" TEXT ","
" StatusCode bigint not null, Disposition bigint not null,"
" DispositionMessage" NEED ","
" SubmittedWhen" NEED ", ResolvedWhen" NEED ","
" RequesterName" NEED ", CallerName" NEED ","
" DistinguishedName" NEED ", CommonName" NEED ","
" OrgUnit" NEED ", Organization" NEED ", EMail" NEED ","
" KeyFormat" TEXT ", KmsGroup" NEED ", KmsUser" NEED ","
" KmsMail" NEED ", MailboxGuid" NEED ", Source" NEED ","
" StreamId" NEED ", CertAudit bigint not null, KeyAudit bigint);"
"alter table request alter RawArchivedKey set storage external;"
"create index request_CertAudit on request(CertAudit);"
"create index request_KeyAudit on request(KeyAudit)"
" where KeyAudit is not null;"
"create table certificate("
" RequestID bigint primary key references request,"
" RawCertificate bytea not null, CertificateHash" NEED ","
" Sha256" NEED " unique, SerialNumber" NEED ","
" IssuerName" NEED ", NotBefore" NEED ", NotAfter" NEED ","
" SubjectKeyIdentifier" NEED ", RawPublicKey bytea,"
" PublicKeyLength bigint not null, PublicKeyAlgorithm" NEED ","
" RawPublicKeyAlgorithmParameters bytea, SpkiHash" NEED ","
" UPN" NEED ", DistinguishedName" NEED ","
" CommonName" NEED ", OrgUnit" NEED ","
" Organization" NEED ", EMail" NEED ");"
"create index certificate_SerialNumber on certificate(SerialNumber);"
"create table kra(KraID bigint primary key,"
" CertificateHash" NEED ", Sha256" NEED " unique,"
" RawCertificate bytea not null, AddedWhen" NEED ","
" AuditID bigint not null);"
"create table config(Name" TEXT " primary key, Value bigint,"
" Certificate bytea, AuditID bigint not null);"
"create table audit(AuditID bigint primary key, AuditWhen" NEED ","
" Caller" NEED ", Action" NEED ", Detail" NEED ","
" Digest" NEED ", Hash" NEED ");"
"create function refuse() returns trigger language plpgsql as"
" 'begin raise exception ''%'', tg_argv[0]; end';"
"create trigger audit_append before update or delete or truncate on audit"
" execute function refuse('the audit table is append-only');"
"create trigger request_once before update on request for each row"
" when (old.KeyAudit is not null)"
" execute function refuse('an archived key is written once');"
"create function key_of(bigint) returns table(RequestID bigint,"
" RawArchivedKey bytea, KeyRecoveryHashes text, KeyFormat text)"
" language sql stable security definer set search_path = kms2ca, pg_temp as"
" 'select RequestID, RawArchivedKey, KeyRecoveryHashes, KeyFormat"
" from request where KeyAudit = $1 and not exists"
" (select 1 from audit where AuditID = $1) order by 1';"
"revoke all on function key_of from public;"
"comment on schema kms2ca is 'kms2ca archive, version 2'";
/* clang-format on */

/* What a commit wrote, hashed column by column: see store_audit(). */
#define CERT_PART \
	"select r.RequestID, StatusCode, Disposition," \
	" DispositionMessage, SubmittedWhen, ResolvedWhen, RequesterName," \
	" CallerName, r.DistinguishedName, r.CommonName, r.OrgUnit," \
	" r.Organization, r.EMail, KmsGroup, KmsUser, KmsMail, MailboxGuid," \
	" Source, StreamId, c.* from request r left join certificate c" \
	" using (RequestID)"
#define KEY_PART \
	"select RequestID, RawArchivedKey, KeyRecoveryHashes," \
	" KeyFormat from request"
#define KRA_PART \
	"select KraID, CertificateHash, Sha256, RawCertificate," \
	" AddedWhen from kra"
/* other settings change: each is in the detail of the commit that set it */
#define CA_PART(value) \
	"select Name, " value " from config where Name = 'CACertificate'" \
	" and AuditID = $1"
#define CONFIG(value) \
	"insert into config(Name, " value ", AuditID) values ($1, $2, $3)" \
	" on conflict (Name) do update set " value " = $2, AuditID = $3"

/* Rows that are selected, by tokens if there are any. */
#define SOME \
	" from request r join certificate c using (RequestID)" \
	" where (not exists (select 1 from temp.token) or exists" \
	" (select 1 from temp.token t where t.hex in (c.SerialNumber," \
	" c.CertificateHash, c.Sha256, c.SubjectKeyIdentifier) or" \
	" lower(t.raw) in (" NAMES ")))"
#define SOME_PG \
	" from request r join certificate c using (RequestID)," \
	" (select string_to_array(lower(" SETTING( \
	    "raw") "), chr(31)) raw," \
		   " string_to_array(" SETTING( \
		       "hex") ", chr(31)) hex offset 0) t" \
			      " where (raw is null or " \
			      " array[c.SerialNumber, c.CertificateHash, c.Sha256," \
			      " c.SubjectKeyIdentifier] && hex or array[" NAMES \
			      "] && raw)"
#define NAMES \
	"lower(c.CommonName), lower(r.RequesterName), lower(c.UPN)," \
	" lower(c.EMail), lower(r.KmsMail), lower(r.KmsUser)"
#define SETTING(name) \
	"nullif(current_setting('kms2ca." name "', true), '') collate \"C\""
#define ROW(blob) \
	"select r.RequestID, r.Disposition, r.SubmittedWhen," \
	" r.RequesterName, r.StreamId, c.SubjectKeyIdentifier," \
	" coalesce(r.KeyRecoveryHashes, ''), coalesce(r.KeyFormat, '')," \
	" r.KmsGroup, r.KmsUser, r.KmsMail, r.MailboxGuid, r.Source," \
	" c.RawCertificate, r.CallerName, r.CertAudit, r.KeyAudit, " blob
#define BEHIND " and r.RequestID > $1 order by r.RequestID"

#define NEWER(value) \
	" on conflict (Name) do update set " value " = excluded." value "," \
	" AuditID = excluded.AuditID where excluded.AuditID > config.AuditID"
#define AUDIT \
	"select AuditID, AuditWhen, Caller, Action, Detail, Digest, Hash" \
	" from audit"

/* Settings that there are, and the commits that set one. */
#define SETTINGS \
	"(select 'KRAFlags' n union select 'KRACertCount'" \
	" union select 'RoleSeparationEnabled') s"
#define SETTERS(instr, name) \
	" from audit where Action in ('init', 'kra', 'flag') and " instr \
	"(' ' || Detail, ' ' || " name " || '=') > 0"
/* What no audit row accounts for. */
#define ORPHAN_ROWS(instr, no_number) \
	"select 'row ' || RequestID from request where CertAudit" \
	" not in (select AuditID from audit) or KeyAudit is not null and" \
	" KeyAudit not in (select AuditID from audit) or" \
	" (KeyAudit is null) <> (RawArchivedKey is null) or" \
	" KeyAudit is null and coalesce(KeyFormat, KeyRecoveryHashes) is" \
	" not null" \
	" union all select 'KRA ' || KraID from kra where AuditID not in" \
	" (select AuditID from audit)" \
	" union all select 'setting ' || Name from config c where not" \
	" exists (select 1 from audit a where a.AuditID = c.AuditID and" \
	" (Name = 'CACertificate' or " instr "(' ' || Detail || ' '," \
	" ' ' || Name || '=' || Value || ' ') > 0)) or AuditID <>" \
	" (select max(AuditID)" SETTERS(instr, \
	    "c.Name") ") or Name <>" \
		      " 'CACertificate' and (" no_number " or Name not in" \
		      " (select n from " SETTINGS "))" \
		      " union all select 'setting ' || n from " SETTINGS \
		      " where n not in (select Name from config)" \
		      " and exists (select 1" SETTERS(instr, \
			  "n") ")" \
			       " union all select 'certificate ' || RequestID from certificate" \
			       " where RequestID not in (select RequestID from request)"
/* hashes stand as "01 23 ..", an LF between two: 41 bytes for each */
#define STRANGER_ROWS(instr) \
	"select '' || RequestID from request where RawArchivedKey is not null" \
	" and length(replace(KeyRecoveryHashes, ' ', '')) + 1 <>" \
	" 41 * (select count(*) from kra where " instr \
	"(replace(KeyRecoveryHashes, ' ', ''), CertificateHash) > 0)"

#define LOCK \
	"(118117828289377)" /* "kms2ca", for whoever writes to the archive */

/* clang-format off */
const struct sql_text sql_text[NSQL] = {
	[OPEN] = { NULL, "set search_path = kms2ca, pg_temp;"
	    "set lock_timeout = '120s';"
	    "select set_config('synchronous_commit', 'on', false)"
	    " where current_setting('synchronous_commit') = 'off';"
	    "select current_setting('server_encoding'),"
	    " current_setting('fsync')" },
	[FIND_ARCHIVE] = { NULL, "select obj_description(oid, 'pg_namespace'),"
	    " exists (select 1 from pg_class where relnamespace = n.oid),"
	    " has_schema_privilege(oid, 'usage')"
	    " from pg_namespace n where nspname = 'kms2ca'" },
	[NEW_SCHEMA] = { NULL, "create schema kms2ca" },
	[BEGIN] = { "begin immediate", "begin isolation level read committed"
	    " read write; select pg_advisory_xact_lock" LOCK },
	[COMMIT] = { "commit", NULL },
	[ROLLBACK] = { "rollback", NULL },
	[HOLD] = { "select 1 from sqlite_schema",
	    "select pg_advisory_lock" LOCK },
	[HELD] = { NULL, "begin isolation level repeatable read read only;"
	    "select pg_advisory_unlock_all()" },
	[CONFIG_SET] = { CONFIG("Value"), NULL },
	[CONFIG_GET] = { "select Value from config where Name = $1", NULL },
	[CA_SET] = { CONFIG("Value"), CONFIG("Certificate") },
	[CA_GET] = { "select Value from config where Name = $1",
	    "select Certificate from config where Name = $1" },
	[KRA_ADD] = { "insert into kra(KraID, CertificateHash, Sha256,"
	    " RawCertificate, AddedWhen, AuditID) values"
	    " ((select coalesce(max(KraID), 0) + 1 from kra),"
	    " $1, $2, $3, $4, $5) on conflict do nothing", NULL },
	[KRA_ALL] = { "select RawCertificate from kra order by KraID", NULL },
	[FIND] = { "select c.RequestID, r.KeyAudit is not null, r.KmsUser"
	    " from certificate c join request r using (RequestID)"
	    " where c.Sha256 = $1", NULL },
	[FIND_MANY] = { NULL, "select decode(c.Sha256, 'hex'), c.RequestID,"
	    " r.KeyAudit is not null, r.KmsUser"
	    " from certificate c join request r using (RequestID)"
	    " where c.Sha256 = any(string_to_array($1, ','))" },
	[FIND_SERIAL] = { "select RequestID from certificate"
	    " join request using (RequestID) where SerialNumber = $1"
	    " and IssuerName = $2 and Disposition <> 12", NULL },
	[REQUEST_LAST] = { "select max(RequestID) from request", NULL },
	[PUT_REQUEST] = { "insert into request(RequestID, RawArchivedKey,"
	    " KeyRecoveryHashes, KeyFormat, KeyAudit, StatusCode, Disposition,"
	    " DispositionMessage, SubmittedWhen, ResolvedWhen, RequesterName,"
	    " CallerName, DistinguishedName, CommonName, OrgUnit,"
	    " Organization, EMail, KmsGroup, KmsUser, KmsMail, MailboxGuid,"
	    " Source, StreamId, CertAudit) values ($1, $2, $3, $4, $5, 0, $6,"
	    " $7, $8, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
	    " $19, $20, $21, $22)", NULL },
	[PUT_CERT] = { "insert into certificate values ($1, $2, $3, $4, $5,"
	    " $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
	    " $19, $20)", NULL },
	[PUT_KEY] = { "update request set RawArchivedKey = $1,"
	    " KeyRecoveryHashes = $2, KeyFormat = $3, KeyAudit = $4"
	    " where RequestID = $5 and KeyAudit is null", NULL },
	[TOKEN_ADD] = { "insert into temp.token values ($1, $2)",
	    "select set_config('kms2ca.raw', concat_ws(chr(31), " SETTING("raw")
	    ", $1::text), false), set_config('kms2ca.hex', concat_ws(chr(31), "
	    SETTING("hex") ", $2::text), false)" },
	[COUNT] = { "select count(*), max(r.RequestID)" SOME,
	    "select count(*), max(r.RequestID)" SOME_PG },
	[LIST] = { ROW("null") SOME BEHIND,
	    ROW("null::bytea") SOME_PG BEHIND " limit 1000" },
	[SELECT] = { ROW("r.RawArchivedKey") SOME BEHIND,
	    ROW("r.RawArchivedKey") SOME_PG BEHIND " limit 100" },
	[AUDIT_ADD] = { "insert into audit values ($1, $2, $3, $4, $5, $6, $7)",
	    NULL },
	[AUDIT_LAST] = { "select AuditID, Hash from audit"
	    " order by AuditID desc limit 1", NULL },
	[AUDIT_ALL] = { AUDIT
	    " where AuditID >= $1 order by AuditID limit 1000", NULL },
	[AUDIT_SINCE] = { AUDIT
	    " where AuditID > $1 and Action not in"
	    " ('import', 'export') order by AuditID limit 1", NULL },
	[EVENT_NEXT] = { AUDIT " where AuditID > $1"
	    " order by AuditID limit 1", NULL },
	[EVENT_OF] = { "select Hash from audit where AuditID = $1", NULL },
	[SETTING_NEXT] = { "select Name, case typeof(Value) when 'integer'"
	    " then Value end, case typeof(Value) when 'blob' then Value end,"
	    " AuditID from config where Name > $1 order by Name limit 1",
	    "select Name, Value, Certificate, AuditID from config"
	    " where Name > $1 order by Name limit 1" },
	[SETTING_COPY] = { "insert into config(Name, Value, AuditID)"
	    " values ($1, coalesce($2, $3), $4)" NEWER("Value"),
	    "insert into config(Name, Value, Certificate, AuditID)"
	    " values ($1, $2, $3, $4)" NEWER("Value") },
	[AGENT_NEXT] = { "select KraID, RawCertificate, AddedWhen, AuditID"
	    " from kra where KraID > $1 order by KraID limit 1", NULL },
	[AGENT_COPY] = { "insert into kra(KraID, CertificateHash, Sha256,"
	    " RawCertificate, AddedWhen, AuditID) values"
	    " ($1, $2, $3, $4, $5, $6) on conflict do nothing", NULL },
	[AGENT_OF] = { "select Sha256 from kra where KraID = $1", NULL },
	[ROW_OF] = { "select Sha256 from certificate where RequestID = $1",
	    NULL },
	[CERT_OF] = { CERT_PART " where CertAudit = $1 order by 1", NULL },
	[KEY_OF] = { KEY_PART " where KeyAudit = $1 order by 1", NULL },
	[KEY_NEW] = { KEY_PART " where KeyAudit = $1 order by 1",
	    "select * from key_of($1)" },
	[KRA_OF] = { KRA_PART " where AuditID = $1 order by 1", NULL },
	[CA_OF] = { CA_PART("Value"), CA_PART("Certificate") },
	[ORPHANS] = { ORPHAN_ROWS("instr", "typeof(Value) <> 'integer'"),
	    ORPHAN_ROWS("strpos", "Value is null") },
	[STRANGERS] = { STRANGER_ROWS("instr"), STRANGER_ROWS("strpos") },
	/* but what SQLite makes: the indices of constraints, statistics */
	[SCHEMA] = { "select type, name, tbl_name, sql from sqlite_schema"
	    " where sql is not null and sql not in"
	    " ('CREATE TABLE sqlite_stat1(tbl,idx,stat)',"
	    " 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')"
	    " order by 1, 2",
	    /* but who owns what, and who may do what */
	    "with here as (select oid from pg_namespace where nspname = 'kms2ca'),"
	    " rel as (select oid from pg_class where relnamespace in"
	    " (select oid from here))"
	    " select 'relation', relname::text collate \"C\", concat(relkind,"
	    " relpersistence, relrowsecurity, relhasrules, relhassubclass,"
	    " relispartition) from pg_class where oid in (select oid from rel)"
	    " union all select 'column', concat(attrelid::regclass, '.',"
	    " to_char(attnum, '00'), attname), concat_ws(' ',"
	    " format_type(atttypid, atttypmod), attnotnull, attcollation,"
	    " attisdropped, attidentity, attgenerated,"
	    " pg_get_expr(adbin, adrelid)) from pg_attribute left join"
	    " pg_attrdef on adrelid = attrelid and adnum = attnum"
	    " where attnum > 0 and attrelid in (select oid from rel)"
	    " union all select 'index', indexrelid::regclass::text,"
	    " concat(pg_get_indexdef(indexrelid), indisvalid) from pg_index"
	    " where indrelid in (select oid from rel)"
	    " union all select 'constraint', conname, concat(conrelid::regclass,"
	    " pg_get_constraintdef(oid), convalidated) from pg_constraint"
	    " where connamespace in (select oid from here) and contype <> 'n'"
	    " union all select 'trigger', tgname,"
	    " concat(pg_get_triggerdef(oid), tgenabled) from pg_trigger"
	    " where not tgisinternal and tgrelid in (select oid from rel)"
	    " union all select 'rule', rulename, pg_get_ruledef(oid)"
	    " from pg_rewrite where ev_class in (select oid from rel)"
	    " union all select 'policy', polname,"
	    " pg_get_expr(polqual, polrelid) from pg_policy"
	    " where polrelid in (select oid from rel)"
	    " union all select 'operator', oid::regoperator::text,"
	    " oprcode::text from pg_operator where oprnamespace in"
	    " (select oid from here)"
	    " union all select 'function', oid::regprocedure::text, concat_ws("
	    " ' ', (select lanname from pg_language l where l.oid ="
	    " prolang), prosecdef, provolatile,"
	    " proconfig, prosrc) from pg_proc where pronamespace in"
	    " (select oid from here) order by 1, 2" },
	[INTEGRITY] = { "pragma integrity_check(1)",
	    "select case when exists (select 1 from certificate"
	    " group by Sha256 having count(*) > 1)"
	    " then 'a certificate is there twice' else 'ok' end" },
};
/* clang-format on */

struct sql_st *
sql_ready(struct store *db, enum sql n, struct reason *w)
{
	return db->driver->ready(db, n, w);
}

int
sql_step(struct sql_st *st, struct reason *w)
{
	return st->db->driver->step(st, w);
}

int
sql_one(struct sql_st *st, struct reason *w)
{
	int rc = sql_step(st, w);

	if (rc == 0)
		reason_set(w, "database",
		    "%s: cannot read: no row " STORE_ALTERED, st->db->name);
	return rc == 1;
}

void
sql_reset(struct sql_st *st)
{
	st->db->driver->reset(st);
}

int
sql_run(struct sql_st *st, struct reason *w)
{
	return st->db->driver->run(st, w);
}

int
sql_put(struct sql_st *st, struct reason *w)
{
	return st->db->driver->put(st, w);
}

void
sql_forget(struct store *db)
{
	while (db->nknown > 0)
		free(db->known[--db->nknown].user);
	free(db->known);
	db->known = NULL;
}

int
sql_not_put(const struct store *db, struct reason *w)
{
	return reason_set(w, "database",
	    "%s: a row was not written " STORE_ALTERED, db->name);
}

void
sql_bind_i(struct sql_st *st, int i, int64_t v)
{
	st->db->driver->bind_int(st, i, v);
}

void
sql_bind_s(struct sql_st *st, int i, const char *s)
{
	if (s == NULL)
		s = "";
	st->db->driver->bind_text(st, i, s, strlen(s));
}

void
sql_bind_t(struct sql_st *st, int i, struct text t)
{
	st->db->driver->bind_text(st, i, t.s == NULL ? "" : t.s, t.n);
}

void
sql_bind_b(struct sql_st *st, int i, const void *p, size_t n)
{
	st->db->driver->bind_blob(st, i, p, n);
}

void
sql_bind_hex(struct sql_st *st, int i, const uint8_t *p, size_t n, char hex[])
{
	sql_bind_s(st, i, encode_hex(hex, p, n));
}

void
sql_column(struct sql_st *st, int i, struct sql_value *v)
{
	st->db->driver->column(st, i, v);
}

int64_t
sql_int(struct sql_st *st, int i)
{
	struct sql_value v;

	sql_column(st, i, &v);
	return v.type == SQL_INT ? v.i : 0;
}

struct text
sql_col_text(struct sql_st *st, int i)
{
	struct text t = { "", 0 };
	struct sql_value v;

	sql_column(st, i, &v);
	if (v.type == SQL_TEXT) {
		t.s = v.p;
		t.n = v.n;
	}
	return t;
}

const char *
sql_str(struct sql_st *st, int i)
{
	return sql_col_text(st, i).s;
}

const char *
sql_now(char dst[24])
{
	time_t t = time(NULL);

	(void)strftime(dst, 24, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
	return dst;
}
