#include "db_sql.h"

#include <errno.h>
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

const char *const sql_settings[] = {
	"pragma temp_store=memory",
	"pragma trusted_schema=off",
	"pragma foreign_keys=on",
	"pragma synchronous=full",
	"create temp table token(raw text, hex text)",
	NULL,
};

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
static const char *const sql[NSQL] = {
	[BEGIN] = "begin immediate",
	[COMMIT] = "commit",
	[HOLD] = "select 1 from sqlite_schema",
	[ROLLBACK] = "rollback",
	[CONFIG_SET] = "insert into config values (?1, ?2, ?3) on conflict"
	    " (Name) do update set Value = ?2, AuditID = ?3",
	[CONFIG_GET] = "select Value from config where Name = ?1",
	[KRA_ADD] = "insert into kra(CertificateHash, Sha256, RawCertificate,"
	    " AddedWhen, AuditID) values (?1, ?2, ?3, ?4, ?5)"
	    " on conflict do nothing",
	[KRA_ALL] = "select RawCertificate from kra order by KraID",
	[FIND] = "select c.RequestID, r.RawArchivedKey is not null"
	    " from certificate c join request r using (RequestID)"
	    " where c.Sha256 = ?1",
	[FIND_SERIAL] = "select RequestID from certificate"
	    " where SerialNumber = ?1 and IssuerName = ?2",
	[PUT_REQUEST] = "insert into request values (null, null, null, 0, ?1,"
	    " ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, null, ?11, ?12, ?13,"
	    " ?14, ?15, ?16, ?17, null)",
	[PUT_CERT] = "insert into certificate values (?1, ?2, ?3, ?4, ?5, ?6,"
	    " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,"
	    " ?20)",
	[PUT_KEY] = "update request set RawArchivedKey = ?2,"
	    " KeyRecoveryHashes = ?3, KeyFormat = ?4, KeyAudit = ?5"
	    " where RequestID = ?1"
	    " and RawArchivedKey is null",
	[TOKEN_ADD] = "insert into temp.token values (?1, ?2)",
	[SELECT] = "select r.RequestID, r.Disposition, r.SubmittedWhen,"
	    " r.RequesterName, r.StreamId, c.SubjectKeyIdentifier,"
	    " coalesce(r.KeyRecoveryHashes, ''), coalesce(r.KeyFormat, ''),"
	    " r.KmsGroup, r.KmsUser, r.KmsMail, r.MailboxGuid, r.Source,"
	    " c.RawCertificate, r.RawArchivedKey"
	    " from request r join certificate c using (RequestID)"
	    " where r.RequestID > ?1 and (not exists (select 1 from"
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
	[AUDIT_ADD] = "insert into audit values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[AUDIT_LAST] = "select AuditID, Hash from audit"
	    " order by AuditID desc limit 1",
	[AUDIT_ALL] = "select AuditID, AuditWhen, Caller, Action, Detail,"
	    " Digest, Hash from audit order by AuditID",
	[AUDIT_SINCE] = "select AuditID, AuditWhen, Caller, Action, Detail"
	    " from audit where AuditID > ?1 and Action not in"
	    " ('import', 'export') order by AuditID",
	[CERT_OF] = CERT_PART " where CertAudit = ?1 order by 1",
	[KEY_OF] = KEY_PART " where KeyAudit = ?1 order by 1",
	[KRA_OF] = KRA_PART " where AuditID = ?1 order by 1",
	[CA_OF] = CA_PART " and AuditID = ?1",
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
	[STRANGERS] = "select RequestID from request where RawArchivedKey is"
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

int
sql_fail(struct db *db, struct why *w, const char *what)
{
	const char *hint = "";
	int rc = sqlite3_errcode(db->h);

	if (errno == ENOMEM)
		return why_set(w, "database", "%s: %s: out of memory", db->name,
		    what);
	/* SQLite takes a disk that does not read for a damaged file */
	if (rc == SQLITE_CORRUPT && errno == EIO)
		return why_set(w, "database",
		    "%s: %s: %s (look at the disk, and run again)", db->name,
		    what, strerror(EIO));
	switch (rc) {
	case SQLITE_BUSY:
		hint = " (another process holds it: try again)";
		break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		hint = " (make the file and its directory writable)";
		break;
	case SQLITE_FULL:
		hint = " (make room on the disk and run again)";
		break;
	case SQLITE_IOERR:
		hint = " (look at the disk and at ulimit -f, and run again)";
		break;
	case SQLITE_ERROR:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		hint = " " DB_ALTERED;
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		hint = " (restore it from a backup)";
		break;
	default:
		break;
	}
	return why_set(w, "database", "%s: %s: %s%s", db->name, what,
	    sqlite3_errmsg(db->h), hint);
}

sqlite3_stmt *
sql_ready(struct db *db, enum sql n, struct why *w)
{
	if (db->st[n] == NULL &&
	    sqlite3_prepare_v3(db->h, sql[n], -1, SQLITE_PREPARE_PERSISTENT,
		&db->st[n], NULL) != SQLITE_OK) {
		sql_fail(db, w, "cannot prepare a statement");
		return NULL;
	}
	(void)sqlite3_reset(db->st[n]);
	(void)sqlite3_clear_bindings(db->st[n]);
	return db->st[n];
}

int
sql_run(struct db *db, sqlite3_stmt *st, struct why *w)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		sql_fail(db, w, "cannot write");
	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

int
sql_run_plain(struct db *db, enum sql n, struct why *w)
{
	sqlite3_stmt *st = sql_ready(db, n, w);

	return st != NULL && sql_run(db, st, w);
}

int
sql_put(struct db *db, sqlite3_stmt *st, struct why *w)
{
	if (!sql_run(db, st, w))
		return 0;
	return sqlite3_changes(db->h) == 1 ||
	    why_set(w, "database", "%s: a row was not written " DB_ALTERED,
		db->name);
}

void
sql_bind_s(sqlite3_stmt *st, int i, const char *s)
{
	(void)sqlite3_bind_text(st, i, s == NULL ? "" : s, -1, SQLITE_STATIC);
}

void
sql_bind_t(sqlite3_stmt *st, int i, struct text t)
{
	(void)sqlite3_bind_text(st, i, t.s == NULL ? "" : t.s, (int)t.n,
	    SQLITE_STATIC);
}

void
sql_bind_b(sqlite3_stmt *st, int i, const void *p, size_t n)
{
	(void)sqlite3_bind_blob(st, i, p, (int)n, SQLITE_STATIC);
}

void
sql_bind_hex(sqlite3_stmt *st, int i, const uint8_t *p, size_t n)
{
	char hex[65];

	(void)sqlite3_bind_text(st, i, rec_hex(hex, p, n), -1,
	    SQLITE_TRANSIENT);
}

const char *
sql_now(char dst[24])
{
	time_t t = time(NULL);

	(void)strftime(dst, 24, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
	return dst;
}
