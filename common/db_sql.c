#include "db_sql.h"

#include <string.h>
#include <time.h>

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
/* clang-format on */

/* What a commit wrote, hashed column by column: see db_audit(). */
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
#define CA_PART "select Name, Value from config where Name = 'CACertificate'"
#define SETTINGS \
	"(select 'KRAFlags' n union select 'KRACertCount'" \
	" union select 'RoleSeparationEnabled')"
/* the commits that set this setting */
#define SETTERS(name) \
	" from audit where Action in ('init', 'kra', 'flag') and" \
	" instr(' ' || Detail, ' ' || " name " || '=') > 0"

/* clang-format off */
const char *const sql_text[NSQL] = {
	[BEGIN] = "begin immediate",
	[COMMIT] = "commit",
	[HOLD] = "select 1 from sqlite_schema",
	[ROLLBACK] = "rollback",
	[CONFIG_SET] = "insert into config values ($1, $2, $3) on conflict"
	    " (Name) do update set Value = $2, AuditID = $3",
	[CONFIG_GET] = "select Value from config where Name = $1",
	[KRA_ADD] = "insert into kra(CertificateHash, Sha256, RawCertificate,"
	    " AddedWhen, AuditID) values ($1, $2, $3, $4, $5)"
	    " on conflict do nothing",
	[KRA_ALL] = "select RawCertificate from kra order by KraID",
	[FIND] = "select c.RequestID, r.RawArchivedKey is not null"
	    " from certificate c join request r using (RequestID)"
	    " where c.Sha256 = $1",
	[FIND_SERIAL] = "select RequestID from certificate"
	    " where SerialNumber = $1 and IssuerName = $2",
	[REQUEST_LAST] = "select max(RequestID) from request",
	[PUT_REQUEST] = "insert into request values ($1, null, null, 0, $2,"
	    " $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, null, $12, $13, $14,"
	    " $15, $16, $17, $18, null)",
	[PUT_CERT] = "insert into certificate values ($1, $2, $3, $4, $5, $6,"
	    " $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
	    " $20)",
	[PUT_KEY] = "update request set RawArchivedKey = $1,"
	    " KeyRecoveryHashes = $2, KeyFormat = $3, KeyAudit = $4"
	    " where RequestID = $5"
	    " and RawArchivedKey is null",
	[TOKEN_ADD] = "insert into temp.token values ($1, $2)",
	[SELECT] = "select r.RequestID, r.Disposition, r.SubmittedWhen,"
	    " r.RequesterName, r.StreamId, c.SubjectKeyIdentifier,"
	    " coalesce(r.KeyRecoveryHashes, ''), coalesce(r.KeyFormat, ''),"
	    " r.KmsGroup, r.KmsUser, r.KmsMail, r.MailboxGuid, r.Source,"
	    " c.RawCertificate, r.RawArchivedKey"
	    " from request r join certificate c using (RequestID)"
	    " where r.RequestID > $1 and (not exists (select 1 from"
	    " temp.token) or exists (select 1 from temp.token t where"
	    " t.hex in (c.SerialNumber, c.CertificateHash, c.Sha256,"
	    " c.SubjectKeyIdentifier)"
	    " or t.raw = c.CommonName collate nocase"
	    " or t.raw = r.RequesterName collate nocase"
	    " or t.raw = c.UPN collate nocase"
	    " or t.raw = c.EMail collate nocase"
	    " or t.raw = r.KmsMail collate nocase"
	    " or t.raw = r.KmsUser collate nocase))"
	    " order by r.RequestID",
	[AUDIT_ADD] = "insert into audit values ($1, $2, $3, $4, $5, $6, $7)",
	[AUDIT_LAST] = "select AuditID, Hash from audit"
	    " order by AuditID desc limit 1",
	[AUDIT_ALL] = "select AuditID, AuditWhen, Caller, Action, Detail,"
	    " Digest, Hash from audit order by AuditID",
	[AUDIT_SINCE] = "select AuditID, AuditWhen, Caller, Action, Detail"
	    " from audit where AuditID > $1 and Action not in"
	    " ('import', 'export') order by AuditID",
	[CERT_OF] = CERT_PART " where CertAudit = $1 order by 1",
	[KEY_OF] = KEY_PART " where KeyAudit = $1 order by 1",
	[KRA_OF] = KRA_PART " where AuditID = $1 order by 1",
	[CA_OF] = CA_PART " and AuditID = $1",
	[ORPHANS] = "select 'row ' || RequestID from request where CertAudit"
	    " not in (select AuditID from audit) or KeyAudit is not null and"
	    " KeyAudit not in (select AuditID from audit) or"
	    " (KeyAudit is null) <> (RawArchivedKey is null) or"
	    " KeyAudit is null and coalesce(KeyFormat, KeyRecoveryHashes) is"
	    " not null"
	    " union all select 'KRA ' || KraID from kra where AuditID not in"
	    " (select AuditID from audit)"
	    " union all select 'setting ' || Name from config c where not"
	    " exists (select 1 from audit a where a.AuditID = c.AuditID and"
	    " (Name = 'CACertificate' or instr(' ' || Detail || ' ',"
	    " ' ' || Name || '=' || Value || ' ') > 0)) or AuditID <>"
	    " (select max(AuditID)" SETTERS("c.Name") ") or Name <>"
	    " 'CACertificate' and (typeof(Value) <> 'integer' or Name not in"
	    " (select n from " SETTINGS "))"
	    " union all select 'setting ' || n from " SETTINGS
	    " where n not in (select Name from config)"
	    " and exists (select 1" SETTERS("n") ")"
	    " union all select 'certificate ' || RequestID from certificate"
	    " where RequestID not in (select RequestID from request)",
	/* hashes stand as "01 23 ..", an LF between two: 41 bytes for each */
	[STRANGERS] = "select '' || RequestID from request where RawArchivedKey is"
	    " not null and length(replace(KeyRecoveryHashes, ' ', '')) + 1 <>"
	    " 41 * (select count(*) from kra where"
	    " instr(replace(KeyRecoveryHashes, ' ', ''), CertificateHash) > 0)",
	/* but what SQLite makes: the indices of constraints, statistics */
	[SCHEMA] = "select type, name, tbl_name, sql from sqlite_schema"
	    " where sql is not null and sql not in"
	    " ('CREATE TABLE sqlite_stat1(tbl,idx,stat)',"
	    " 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')"
	    " order by 1, 2",
	[INTEGRITY] = "pragma integrity_check(1)",
};
/* clang-format on */

struct sql_st *
sql_ready(struct db *db, enum sql n, struct why *w)
{
	return db->driver->ready(db, n, w);
}

int
sql_step(struct sql_st *st, struct why *w)
{
	return st->db->driver->step(st, w);
}

void
sql_reset(struct sql_st *st)
{
	st->db->driver->reset(st);
}

int
sql_run(struct sql_st *st, struct why *w)
{
	return st->db->driver->run(st, w);
}

int
sql_put(struct sql_st *st, struct why *w)
{
	int n = sql_run(st, w);

	return n == 1 ||
	    (n != -1 &&
		why_set(w, "database", "%s: a row was not written " DB_ALTERED,
		    st->db->name));
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
	sql_bind_s(st, i, rec_hex(hex, p, n));
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
