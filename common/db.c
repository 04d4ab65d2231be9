#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x6b326361 /* "k2ca" */
#define USER_VERSION   1
#define BUSY_MS	       120000

/* clang-format off */
static const char schema[] =
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

/* clang-format off */
enum sql {
	BEGIN, COMMIT, ROLLBACK, CONFIG_SET, CONFIG_GET, KRA_ADD, KRA_ALL,
	FIND, NEXT_ID, PUT_REQUEST, PUT_CERT, PUT_KEY, TOKEN_ADD, SELECT,
	AUDIT_ADD, AUDIT_LAST, AUDIT_ALL, CERT_OF, KEY_OF, KRA_OF, CA_OF,
	ORPHANS, NSQL
};

static const char *const sql[NSQL] = {
	[BEGIN] = "begin immediate",
	[COMMIT] = "commit",
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
	[NEXT_ID] = "select coalesce(max(RequestID), 0) + 1 from request",
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
	[CERT_OF] = CERT_PART " where CertAudit = ?1 order by 1",
	[KEY_OF] = KEY_PART " where KeyAudit = ?1 order by 1",
	[KRA_OF] = KRA_PART " where AuditID = ?1 order by 1",
	[CA_OF] = CA_PART " and AuditID = ?1",
	[ORPHANS] = "select 'row ' || RequestID from request where CertAudit"
	    " not in (select AuditID from audit) or KeyAudit is not null and"
	    " KeyAudit not in (select AuditID from audit) or"
	    " (KeyAudit is null) <> (RawArchivedKey is null)"
	    " union all select 'KRA ' || KraID from kra where AuditID not in"
	    " (select AuditID from audit)"
	    " union all select 'setting ' || Name from config c where not"
	    " exists (select 1 from audit a where a.AuditID = c.AuditID and"
	    " (Name = 'CACertificate' or instr(' ' || Detail || ' ',"
	    " ' ' || Name || '=' || Value || ' ') > 0))"
	    " union all select 'certificate ' || RequestID from certificate"
	    " where RequestID not in (select RequestID from request)",
};
/* clang-format on */

struct db {
	sqlite3 *h;
	sqlite3_stmt *st[NSQL];
	char *path, *dir;
	int64_t audit; /* AuditID of the open transaction */
	char last[65]; /* Hash of the audit row before it */
};

/* Plumbing -------------------------------------------------------------- */

static int
fail(struct db *db, struct why *w, const char *what)
{
	const char *hint = "";

	switch (sqlite3_errcode(db->h)) {
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
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		hint = " (restore it from a backup)";
		break;
	default:
		break;
	}
	return why_set(w, "database", "%s: %s: %s%s", db->path, what,
	    sqlite3_errmsg(db->h), hint);
}

/* The statement, ready to be bound; NULL with *w. */
static sqlite3_stmt *
ready(struct db *db, enum sql n, struct why *w)
{
	if (db->st[n] == NULL &&
	    sqlite3_prepare_v3(db->h, sql[n], -1, SQLITE_PREPARE_PERSISTENT,
		&db->st[n], NULL) != SQLITE_OK) {
		fail(db, w, "cannot prepare a statement");
		return NULL;
	}
	(void)sqlite3_reset(db->st[n]);
	(void)sqlite3_clear_bindings(db->st[n]);
	return db->st[n];
}

/* Runs a statement that gives no row.  Returns 1, or 0 with *w. */
static int
run(struct db *db, sqlite3_stmt *st, struct why *w)
{
	int rc = sqlite3_step(st);

	if (rc != SQLITE_DONE)
		fail(db, w, "cannot write");
	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

static int
run_plain(struct db *db, enum sql n, struct why *w)
{
	sqlite3_stmt *st = ready(db, n, w);

	return st != NULL && run(db, st, w);
}

/* A bind can only fail for lack of memory, which step then reports. */
static void
bind_s(sqlite3_stmt *st, int i, const char *s)
{
	(void)sqlite3_bind_text(st, i, s == NULL ? "" : s, -1, SQLITE_STATIC);
}

static void
bind_t(sqlite3_stmt *st, int i, struct text t)
{
	(void)sqlite3_bind_text(st, i, t.s == NULL ? "" : t.s, (int)t.n,
	    SQLITE_STATIC);
}

static void
bind_b(sqlite3_stmt *st, int i, const void *p, size_t n)
{
	(void)sqlite3_bind_blob(st, i, p, (int)n, SQLITE_STATIC);
}

static void
bind_hex(sqlite3_stmt *st, int i, const uint8_t *p, size_t n)
{
	char hex[65];

	(void)sqlite3_bind_text(st, i, rec_hex(hex, p, n), -1,
	    SQLITE_TRANSIENT);
}

static const char *
now(char dst[24])
{
	time_t t = time(NULL);

	(void)strftime(dst, 24, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
	return dst;
}

/* Opening --------------------------------------------------------------- */

/* The directory of path, resolved, and path within it. */
static int
locate(struct db *db, const char *path, struct why *w)
{
	const char *slash = strrchr(path, '/'), *base;
	char *dir;
	int n;

	dir = slash == NULL ? strdup(".") :
	    slash == path   ? strdup("/") :
			      strndup(path, (size_t)(slash - path));
	base = slash == NULL ? path : slash + 1;
	db->dir = dir == NULL ? NULL : realpath(dir, NULL);
	if (db->dir == NULL)
		why_set(w, "database", "%s: %s", dir == NULL ? path : dir,
		    strerror(errno));
	free(dir);
	if (db->dir == NULL)
		return 0;
	if (*base == '\0')
		return why_set(w, "database", "%s: not a file name", path);
	n = asprintf(&db->path, "%s/%s",
	    strcmp(db->dir, "/") == 0 ? "" : db->dir, base);
	if (n == -1)
		db->path = NULL;
	return n != -1 || why_set(w, "database", "out of memory");
}

/* A regular file that nobody else can read or write.  Tells if it is empty. */
static int
check_file(struct db *db, enum db_mode mode, int *fresh, struct why *w)
{
	struct stat st;
	int fd;

	*fresh = 0;
	if (mode == DB_CREATE) {
		fd = open(db->path,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd == -1 && errno != EEXIST)
			return why_set(w, "database", "%s: cannot create: %s",
			    db->path, strerror(errno));
		if (fd != -1)
			(void)close(fd);
	}
	if (lstat(db->path, &st) == -1)
		return why_set(w, "database", "%s: %s%s", db->path,
		    strerror(errno),
		    errno == ENOENT ? " (ca-init makes an archive)" : "");
	if (!S_ISREG(st.st_mode))
		return why_set(w, "database", "%s: not a regular file",
		    db->path);
	if ((st.st_mode & 077) != 0)
		return why_set(w, "database",
		    "%s: others can read or write "
		    "it: run chmod 600 on it",
		    db->path);
	*fresh = mode == DB_CREATE && st.st_size == 0;
	return 1;
}

static int
pragma(struct db *db, const char *s, int *v, struct why *w)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (sqlite3_prepare_v2(db->h, s, -1, &st, NULL) != SQLITE_OK)
		return fail(db, w, "cannot open");
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && v != NULL)
		*v = sqlite3_column_int(st, 0);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		fail(db, w, "cannot open");
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* Settings of the connection; the schema of a fresh archive. */
static int
set_up(struct db *db, enum db_mode mode, int fresh, struct why *w)
{
	static const char *const first[] = { "pragma temp_store=memory",
		"pragma trusted_schema=off", "pragma foreign_keys=on",
		"pragma synchronous=full",
		"create temp table token(raw text, hex text)" };
	char text[64];
	size_t i;
	int v = 0;

	(void)sqlite3_busy_timeout(db->h, BUSY_MS);
	(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (fresh) {
		(void)snprintf(text, sizeof(text), "pragma application_id=%d",
		    APPLICATION_ID);
		if (!pragma(db, text, NULL, w) ||
		    !pragma(db, "pragma user_version=1", NULL, w) ||
		    !pragma(db, "pragma journal_mode=wal", NULL, w))
			return 0;
	}
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (!pragma(db, first[i], NULL, w))
			return 0;
	if (!pragma(db, "pragma application_id", &v, w))
		return 0;
	if (v != APPLICATION_ID)
		return why_set(w, "database",
		    "%s: a database, but not an "
		    "archive of kms2ca",
		    db->path);
	if (!pragma(db, "pragma user_version", &v, w))
		return 0;
	if (v != USER_VERSION)
		return why_set(w, "database",
		    "%s: archive version %d, this "
		    "kms2ca knows %d",
		    db->path, v, USER_VERSION);
	if (mode == DB_CREATE && !fresh &&
	    !pragma(db, "select count(*) from audit", &v, w))
		return 0;
	return 1;
}

int
db_open(struct db **out, const char *path, enum db_mode mode, int *fresh,
    struct why *w)
{
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW, isnew = 0;
	char *uri = NULL, *wal = NULL;
	struct stat st;
	struct db *db;

	if (strncmp(path, "postgresql:", 11) == 0 ||
	    strncmp(path, "postgres:", 9) == 0)
		return why_set(w, "database",
		    "this build has no PostgreSQL: "
		    "name a file");
	if ((db = calloc(1, sizeof(*db))) == NULL)
		return why_set(w, "database", "out of memory");
	if (!locate(db, path, w) || !check_file(db, mode, &isnew, w))
		goto fail;
	flags |= mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	/* a read-only medium cannot hold the -shm file of a WAL reader */
	if (mode == DB_READ && access(db->dir, W_OK) == -1 &&
	    asprintf(&wal, "%s-wal", db->path) != -1 &&
	    (stat(wal, &st) == -1 || st.st_size == 0))
		uri = sqlite3_mprintf("file:%s?immutable=1", db->path);
	free(wal);
	if (sqlite3_open_v2(uri != NULL ? uri : db->path, &db->h, flags,
		NULL) != SQLITE_OK) {
		fail(db, w, "cannot open");
		sqlite3_free(uri);
		goto fail;
	}
	sqlite3_free(uri);
	if (!set_up(db, mode, isnew, w))
		goto fail;
	if (isnew &&
	    sqlite3_exec(db->h, "begin immediate", NULL, NULL, NULL) ==
		SQLITE_OK &&
	    (sqlite3_exec(db->h, schema, NULL, NULL, NULL) != SQLITE_OK ||
		sqlite3_exec(db->h, "commit", NULL, NULL, NULL) != SQLITE_OK)) {
		fail(db, w, "cannot create the tables");
		goto fail;
	}
	if (fresh != NULL)
		*fresh = isnew;
	*out = db;
	return 1;
fail:
	if (isnew)
		db_discard(db);
	else
		db_close(db);
	return 0;
}

void
db_close(struct db *db)
{
	int i;

	if (db == NULL)
		return;
	for (i = 0; i < NSQL; i++)
		(void)sqlite3_finalize(db->st[i]);
	(void)sqlite3_close(db->h);
	free(db->path);
	free(db->dir);
	free(db);
}

void
db_discard(struct db *db)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char *path, *file;
	size_t i;

	path = db->path;
	db->path = NULL;
	db_close(db);
	for (i = 0; path != NULL && i < 3; i++)
		if (asprintf(&file, "%s%s", path, ends[i]) != -1) {
			(void)unlink(file);
			free(file);
		}
	free(path);
}

const char *
db_dir0(const struct db *db)
{
	return db->dir;
}

/* Audit: digests -------------------------------------------------------- */

/* Adds every column of the row at hand: type, length, bytes. */
static void
hash_row(EVP_MD_CTX *md, sqlite3_stmt *st)
{
	char head[32];
	const void *p;
	int i, n;

	for (i = 0; i < sqlite3_column_count(st); i++) {
		p = sqlite3_column_blob(st, i);
		n = sqlite3_column_bytes(st, i);
		if (sqlite3_column_type(st, i) == SQLITE_INTEGER) {
			p = sqlite3_column_text(st, i);
			n = sqlite3_column_bytes(st, i);
		}
		(void)snprintf(head, sizeof(head),
		    "%d:%d:", sqlite3_column_type(st, i) == SQLITE_NULL, n);
		(void)EVP_DigestUpdate(md, head, strlen(head));
		(void)EVP_DigestUpdate(md, p, (size_t)n);
	}
}

/* The digest of all that the commit with this number wrote. */
static int
digest(struct db *db, int64_t audit, char hex[65], struct why *w)
{
	static const enum sql parts[] = { CERT_OF, KEY_OF, KRA_OF, CA_OF };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	sqlite3_stmt *st;
	uint8_t sum[32];
	size_t i;
	int rc = 0;

	if (md == NULL || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		goto out;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if ((st = ready(db, parts[i], w)) == NULL)
			goto out;
		(void)sqlite3_bind_int64(st, 1, audit);
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			hash_row(md, st);
		(void)sqlite3_reset(st);
		if (rc != SQLITE_DONE) {
			rc = fail(db, w, "cannot read");
			goto out;
		}
	}
	rc = EVP_DigestFinal_ex(md, sum, NULL);
	rec_hex(hex, sum, sizeof(sum));
out:
	EVP_MD_CTX_free(md);
	return rc;
}

/* SHA-256 over the hash before and the fields, each with its length. */
static int
chain(const char *before, const char *const field[6], char hex[65])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	char head[24];
	uint8_t sum[32];
	int i, rc;

	rc = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(md, before, strlen(before));
	for (i = 0; rc && i < 6; i++) {
		(void)snprintf(head, sizeof(head), "%zu:", strlen(field[i]));
		rc = EVP_DigestUpdate(md, head, strlen(head)) &&
		    EVP_DigestUpdate(md, field[i], strlen(field[i]));
	}
	rc = rc && EVP_DigestFinal_ex(md, sum, NULL);
	EVP_MD_CTX_free(md);
	rec_hex(hex, sum, sizeof(sum));
	return rc;
}

/* Transactions ---------------------------------------------------------- */

int
db_begin(struct db *db, struct why *w)
{
	sqlite3_stmt *st;
	int rc;

	if (!run_plain(db, BEGIN, w) || (st = ready(db, AUDIT_LAST, w)) == NULL)
		return 0;
	db->audit = 1;
	db->last[0] = '\0';
	if ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		db->audit = sqlite3_column_int64(st, 0) + 1;
		(void)snprintf(db->last, sizeof(db->last), "%s",
		    (const char *)sqlite3_column_text(st, 1));
	}
	(void)sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ||
	    fail(db, w, "cannot read");
}

int
db_commit(struct db *db, const char *caller, const char *action,
    const char *detail, char head[AUDIT_HEAD_MAX], struct why *w)
{
	char id[24], when[24], sum[65], hash[65];
	const char *const field[6] = { id, when, caller, action, detail, sum };
	sqlite3_stmt *st;
	int i;

	(void)snprintf(id, sizeof(id), "%lld", (long long)db->audit);
	(void)now(when);
	if (!digest(db, db->audit, sum, w) || !chain(db->last, field, hash) ||
	    (st = ready(db, AUDIT_ADD, w)) == NULL)
		return 0;
	(void)sqlite3_bind_int64(st, 1, db->audit);
	for (i = 1; i < 6; i++)
		bind_s(st, i + 1, field[i]);
	bind_s(st, 7, hash);
	if (!run(db, st, w) || !run_plain(db, COMMIT, w))
		return 0;
	(void)snprintf(head, AUDIT_HEAD_MAX, "%s:%s", id, hash);
	return 1;
}

void
db_rollback(struct db *db)
{
	struct why w;

	if (sqlite3_get_autocommit(db->h) == 0)
		(void)run_plain(db, ROLLBACK, &w);
}

/* Settings -------------------------------------------------------------- */

int
db_config_set(struct db *db, const char *name, uint32_t v, struct why *w)
{
	sqlite3_stmt *st;

	if ((st = ready(db, CONFIG_SET, w)) == NULL)
		return 0;
	bind_s(st, 1, name);
	(void)sqlite3_bind_int64(st, 2, v);
	(void)sqlite3_bind_int64(st, 3, db->audit);
	return run(db, st, w);
}

/* Steps CONFIG_GET.  1: the row is at hand; 0: none; -1 with *w. */
static int
config(struct db *db, const char *name, sqlite3_stmt **st, struct why *w)
{
	int rc;

	if ((*st = ready(db, CONFIG_GET, w)) == NULL)
		return -1;
	bind_s(*st, 1, name);
	if ((rc = sqlite3_step(*st)) != SQLITE_ROW && rc != SQLITE_DONE) {
		fail(db, w, "cannot read");
		return -1;
	}
	return rc == SQLITE_ROW;
}

int
db_config_get(struct db *db, const char *name, uint32_t *v, struct why *w)
{
	sqlite3_stmt *st;
	int rc = config(db, name, &st, w);

	*v = 0;
	if (rc == 1)
		*v = (uint32_t)sqlite3_column_int64(st, 0);
	if (rc != -1)
		(void)sqlite3_reset(st);
	return rc != -1;
}

int
db_ca_set(struct db *db, const uint8_t *der, size_t n, struct why *w)
{
	sqlite3_stmt *st;

	if ((st = ready(db, CONFIG_SET, w)) == NULL)
		return 0;
	bind_s(st, 1, "CACertificate");
	bind_b(st, 2, der, n);
	(void)sqlite3_bind_int64(st, 3, db->audit);
	return run(db, st, w);
}

int
db_ca_get(struct db *db, uint8_t **der, size_t *n, struct why *w)
{
	sqlite3_stmt *st;
	int rc = config(db, "CACertificate", &st, w);

	*der = NULL;
	*n = 0;
	if (rc == 1) {
		*n = (size_t)sqlite3_column_bytes(st, 0);
		*der = OPENSSL_memdup(sqlite3_column_blob(st, 0), *n);
	}
	if (rc != -1)
		(void)sqlite3_reset(st);
	return rc != -1;
}

/* Key recovery agents --------------------------------------------------- */

int
db_kra_add(struct db *db, const struct cert *c, struct why *w)
{
	sqlite3_stmt *st;
	char when[24];

	if ((st = ready(db, KRA_ADD, w)) == NULL)
		return -1;
	bind_hex(st, 1, c->sha1, sizeof(c->sha1));
	bind_hex(st, 2, c->sha256, sizeof(c->sha256));
	bind_b(st, 3, c->der, c->len);
	bind_s(st, 4, now(when));
	(void)sqlite3_bind_int64(st, 5, db->audit);
	return run(db, st, w) ? sqlite3_changes(db->h) : -1;
}

int
db_kra_all(struct db *db, STACK_OF(X509) **out, struct why *w)
{
	sqlite3_stmt *st;
	const uint8_t *p;
	X509 *x;
	int rc;

	if ((st = ready(db, KRA_ALL, w)) == NULL)
		return 0;
	*out = sk_X509_new_null();
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		p = sqlite3_column_blob(st, 0);
		x = d2i_X509(NULL, &p, sqlite3_column_bytes(st, 0));
		if (x == NULL || !sk_X509_push(*out, x)) {
			X509_free(x);
			why_set(w, "database",
			    "%s: a KRA certificate in it "
			    "does not parse",
			    db->path);
			break;
		}
	}
	if (rc != SQLITE_DONE) {
		if (rc != SQLITE_ROW)
			fail(db, w, "cannot read");
		sk_X509_pop_free(*out, X509_free);
		*out = NULL;
	}
	(void)sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

/* Rows ------------------------------------------------------------------ */

int
db_find(struct db *db, const uint8_t sha256[32], int64_t *id, int *has_key,
    struct why *w)
{
	sqlite3_stmt *st;
	int rc;

	if ((st = ready(db, FIND, w)) == NULL)
		return -1;
	bind_hex(st, 1, sha256, 32);
	if ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		*id = sqlite3_column_int64(st, 0);
		*has_key = sqlite3_column_int(st, 1);
	} else if (rc != SQLITE_DONE)
		fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

int
db_next_id(struct db *db, int64_t *id, struct why *w)
{
	sqlite3_stmt *st;
	int rc;

	if ((st = ready(db, NEXT_ID, w)) == NULL)
		return 0;
	if ((rc = sqlite3_step(st)) == SQLITE_ROW)
		*id = sqlite3_column_int64(st, 0);
	else
		fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	return rc == SQLITE_ROW;
}

static int
put_request(struct db *db, const struct db_row *r, struct why *w)
{
	const struct cert *c = r->cert;
	sqlite3_stmt *st;
	char when[24];

	if ((st = ready(db, PUT_REQUEST, w)) == NULL)
		return 0;
	(void)sqlite3_bind_int(st, 1, r->disposition);
	bind_s(st, 2,
	    r->disposition == DISP_FOREIGN ? "foreign certificate imported" :
					     "certificate imported");
	bind_s(st, 3, now(when));
	bind_s(st, 4, r->requester);
	bind_s(st, 5, r->caller);
	bind_s(st, 6, c->subject);
	bind_s(st, 7, c->cn);
	bind_s(st, 8, c->ou);
	bind_s(st, 9, c->org);
	bind_s(st, 10, c->mail);
	bind_t(st, 11, r->group);
	bind_t(st, 12, r->user);
	bind_t(st, 13, r->mail);
	bind_t(st, 14, r->guid);
	bind_t(st, 15, r->source);
	bind_s(st, 16, r->stream);
	(void)sqlite3_bind_int64(st, 17, db->audit);
	return run(db, st, w);
}

int
db_put_cert(struct db *db, const struct db_row *r, int64_t *id, struct why *w)
{
	const struct cert *c = r->cert;
	const ASN1_TYPE *params;
	const uint8_t *bits;
	uint8_t *pder = NULL;
	sqlite3_stmt *st;
	char oid[80];
	size_t nbits;
	int plen, rc;

	if (!put_request(db, r, w))
		return 0;
	*id = sqlite3_last_insert_rowid(db->h);
	if ((st = ready(db, PUT_CERT, w)) == NULL)
		return 0;
	cert_key0(c, &bits, &nbits, oid, &params);
	plen = params == NULL ? 0 : i2d_ASN1_TYPE(params, &pder);
	(void)sqlite3_bind_int64(st, 1, *id);
	bind_b(st, 2, c->der, c->len);
	bind_hex(st, 3, c->sha1, sizeof(c->sha1));
	bind_hex(st, 4, c->sha256, sizeof(c->sha256));
	bind_s(st, 5, c->serial);
	bind_s(st, 6, c->issuer);
	bind_s(st, 7, c->not_before);
	bind_s(st, 8, c->not_after);
	bind_s(st, 9, c->ski);
	bind_b(st, 10, bits, nbits);
	(void)sqlite3_bind_int(st, 11, c->bits);
	bind_s(st, 12, oid);
	bind_b(st, 13, pder, plen > 0 ? (size_t)plen : 0);
	bind_hex(st, 14, c->spki, sizeof(c->spki));
	bind_s(st, 15, c->upn);
	bind_s(st, 16, c->subject);
	bind_s(st, 17, c->cn);
	bind_s(st, 18, c->ou);
	bind_s(st, 19, c->org);
	bind_s(st, 20, c->mail);
	rc = run(db, st, w);
	OPENSSL_free(pder);
	return rc;
}

int
db_put_key(struct db *db, int64_t id, const struct db_key *k, struct why *w)
{
	sqlite3_stmt *st;

	if ((st = ready(db, PUT_KEY, w)) == NULL)
		return 0;
	(void)sqlite3_bind_int64(st, 1, id);
	bind_b(st, 2, k->blob, k->len);
	bind_s(st, 3, k->hashes);
	bind_s(st, 4, k->format);
	(void)sqlite3_bind_int64(st, 5, db->audit);
	if (!run(db, st, w))
		return 0;
	return sqlite3_changes(db->h) == 1 ||
	    why_set(w, "database", "%s: row %lld has a key already", db->path,
		(long long)id);
}

/* Selecting ------------------------------------------------------------- */

int
db_token(struct db *db, const char *token, struct why *w)
{
	sqlite3_stmt *st;
	char hex[129];
	size_t n = 0;
	const char *p;

	/* thumbprints are shown with blanks or colons, in either case */
	for (p = token; *p != '\0' && n < sizeof(hex) - 1; p++)
		if (*p != ' ' && *p != ':')
			hex[n++] = *p >= 'A' && *p <= 'F' ?
			    (char)(*p - 'A' + 'a') :
			    *p;
	hex[n] = '\0';
	if ((st = ready(db, TOKEN_ADD, w)) == NULL)
		return 0;
	bind_s(st, 1, token);
	bind_s(st, 2, hex);
	return run(db, st, w);
}

static struct text
text_of(sqlite3_stmt *st, int i)
{
	struct text t;

	t.s = (const char *)sqlite3_column_text(st, i);
	t.n = (size_t)sqlite3_column_bytes(st, i);
	return t;
}

int
db_select(struct db *db, int64_t after, struct db_found *f, struct why *w)
{
	sqlite3_stmt *st = db->st[SELECT];
	int rc;

	/* goes on where it stands, if the caller does too */
	if (st == NULL || after == 0 || !sqlite3_stmt_busy(st)) {
		if ((st = ready(db, SELECT, w)) == NULL)
			return -1;
		(void)sqlite3_bind_int64(st, 1, after);
	}
	if ((rc = sqlite3_step(st)) != SQLITE_ROW) {
		if (rc != SQLITE_DONE)
			fail(db, w, "cannot read");
		(void)sqlite3_reset(st);
		return rc == SQLITE_DONE ? 0 : -1;
	}
	f->id = sqlite3_column_int64(st, 0);
	f->disposition = sqlite3_column_int(st, 1);
	f->submitted = text_of(st, 2).s;
	f->requester = text_of(st, 3).s;
	f->stream = text_of(st, 4).s;
	f->ski = text_of(st, 5).s;
	f->hashes = text_of(st, 6).s;
	f->format = text_of(st, 7).s;
	f->group = text_of(st, 8);
	f->user = text_of(st, 9);
	f->mail = text_of(st, 10);
	f->guid = text_of(st, 11);
	f->source = text_of(st, 12);
	f->cert = sqlite3_column_blob(st, 13);
	f->certlen = (size_t)sqlite3_column_bytes(st, 13);
	f->blob = sqlite3_column_blob(st, 14);
	f->bloblen = (size_t)sqlite3_column_bytes(st, 14);
	return 1;
}

/* Audit: checking ------------------------------------------------------- */

/* The row of AUDIT_ALL at hand: chain, digest of its rows. */
static int
audit_row(struct db *db, sqlite3_stmt *st, char before[65], struct why *w)
{
	const char *field[6];
	char hash[65], sum[65];
	int i;

	for (i = 0; i < 6; i++)
		if ((field[i] = (const char *)sqlite3_column_text(st, i)) ==
		    NULL)
			return why_set(w, "audit",
			    "audit row with an empty column");
	if (!chain(before, field, hash) ||
	    strcmp(hash, (const char *)sqlite3_column_text(st, 6)) != 0)
		return why_set(w, "audit",
		    "audit row %s does not follow from the one "
		    "before it: rows were edited, deleted or moved",
		    field[0]);
	if (!digest(db, sqlite3_column_int64(st, 0), sum, w))
		return -1;
	if (strcmp(sum, field[5]) != 0)
		return why_set(w, "audit",
		    "what audit row %s recorded was changed "
		    "since: rows were edited or deleted",
		    field[0]);
	memcpy(before, hash, sizeof(hash));
	return 1;
}

int
db_audit(struct db *db, const char *head, char last[AUDIT_HEAD_MAX],
    struct why *w)
{
	char before[65] = "";
	sqlite3_stmt *st;
	int found = 0, rc, ok;

	last[0] = '\0';
	if ((st = ready(db, AUDIT_ALL, w)) == NULL)
		return -1;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if ((ok = audit_row(db, st, before, w)) != 1) {
			(void)sqlite3_reset(st);
			return ok;
		}
		(void)snprintf(last, AUDIT_HEAD_MAX, "%s:%s",
		    (const char *)sqlite3_column_text(st, 0), before);
		found |= head != NULL && strcmp(head, last) == 0;
	}
	(void)sqlite3_reset(st);
	if (rc != SQLITE_DONE || (st = ready(db, ORPHANS, w)) == NULL) {
		fail(db, w, "cannot read");
		return -1;
	}
	rc = sqlite3_step(st);
	ok = 1;
	if (rc == SQLITE_ROW)
		ok = why_set(w, "audit",
		    "%s was not written by any audited commit",
		    (const char *)sqlite3_column_text(st, 0));
	else if (rc != SQLITE_DONE)
		ok = -1 + fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	if (ok == 1 && head != NULL && !found)
		return why_set(w, "audit",
		    "the head %s is not in the chain: it was cut "
		    "or written anew",
		    head);
	return ok;
}
