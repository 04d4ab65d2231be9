#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "db_sql.h"

#define BUSY_MS 120000

/* Opening --------------------------------------------------------------- */

/* The directory of path, as it stands there. */
static char *
dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *
db_prepare(const char *path)
{
	char byte;

	sqlite3_randomness(sizeof(byte), &byte); /* opens /dev/urandom */
	return dir_of(path);
}

/* The directory of path, resolved, and path within it. */
static int
locate(struct db *db, const char *path, struct why *w)
{
	const char *slash = strrchr(path, '/'), *base;
	char *dir = dir_of(path);
	int n;

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
	else
		db->name = strdup(db->path);
	return db->name != NULL || why_set(w, "database", "out of memory");
}

/*
 * A new archive grows under another name, so that at its own there is never
 * half of one.  Returns 1, or 0 with *w.
 */
static int
new_file(struct db *db, struct why *w)
{
	char *tmp;
	int fd;

	if (asprintf(&tmp, "%s.XXXXXX", db->name) == -1)
		return why_set(w, "database", "out of memory");
	if ((fd = mkostemp(tmp, O_CLOEXEC)) == -1) {
		why_set(w, "database", "%s: cannot create: %s", db->name,
		    strerror(errno));
		free(tmp);
		return 0;
	}
	(void)close(fd);
	free(db->path);
	db->path = tmp;
	db->fresh = 1;
	return 1;
}

/* A regular file of ours, under one name, that nobody else can reach. */
static int
private_file(const char *name, const char *end, const struct stat *st,
    struct why *w)
{
	const char *wrong = NULL;

	if (!S_ISREG(st->st_mode))
		wrong = "not a regular file";
	else if (st->st_uid != geteuid())
		wrong = "belongs to another user: run chown on it, or run as "
			"that user";
	else if ((st->st_mode & 077) != 0)
		wrong = "others can read or write it: run chmod 600 on it";
	else if (st->st_nlink != 1) /* each name would have its own log */
		wrong = "has a second name (a hard link): remove that name";
	return wrong == NULL ||
	    why_set(w, "database", "%s%s: %s", name, end, wrong);
}

/* The file with that end beside the archive; *full: something is in it. */
static int
beside(const struct db *db, const char *end, int *full, struct why *w)
{
	struct stat st;
	char *file;
	int there;

	if (asprintf(&file, "%s%s", db->path, end) == -1)
		return why_set(w, "database", "out of memory");
	there = lstat(file, &st) == 0;
	free(file);
	*full = there && st.st_size > 0;
	return !there || private_file(db->name, end, &st, w);
}

/*
 * What SQLite would believe beside the archive is as private as the archive.
 * *wal tells that there is a log with something in it.
 */
static int
check_beside(const struct db *db, int *wal, struct why *w)
{
	int shm, journal;

	*wal = 0;
	if (!beside(db, "-wal", wal, w) || !beside(db, "-shm", &shm, w) ||
	    !beside(db, "-journal", &journal, w))
		return 0;
	return !journal ||
	    why_set(w, "database",
		"%s-journal: an archive has none: find out who put it there, "
		"and remove it",
		db->name);
}

/* Who can write the directory can put another archive in its place. */
static int
check_dir(const struct db *db, struct why *w)
{
	struct stat st;

	if (stat(db->dir, &st) == -1)
		return why_set(w, "database", "%s: %s", db->dir,
		    strerror(errno));
	return (st.st_mode & 022) == 0 ||
	    why_set(w, "database",
		"%s: others can write this directory, and replace the archive: "
		"run chmod go-w on it, or give the archive one of its own",
		db->dir);
}

/* A file system that nobody can write, where owners and modes say nothing. */
static int
on_medium(const struct db *db)
{
	struct statvfs v;

	return statvfs(db->dir, &v) == 0 && (v.f_flag & ST_RDONLY) != 0;
}

/* The archive is as private as can be, or there is none where one is made. */
static int
check_file(struct db *db, enum db_mode mode, struct why *w)
{
	int wal = 0, medium = mode == DB_READ && on_medium(db);
	struct stat st;

	if (!medium && (!check_dir(db, w) || !check_beside(db, &wal, w)))
		return 0;
	if (lstat(db->path, &st) == 0)
		return (medium && S_ISREG(st.st_mode)) ||
		    private_file(db->name, "", &st, w);
	if (errno != ENOENT || mode != DB_CREATE)
		return why_set(w, "database", "%s: %s%s", db->name,
		    strerror(errno),
		    errno == ENOENT ? " (ca-init makes an archive)" : "");
	if (wal)
		return why_set(w, "database",
		    "%s-wal: left over from another archive: put that beside "
		    "it, or remove it",
		    db->name);
	return new_file(db, w);
}

/* Runs a pragma; its answer, if there is one, goes to text. */
static int
pragma_text(struct db *db, const char *s, char *text, size_t n, struct why *w)
{
	sqlite3_stmt *st = NULL;
	int rc;

	text[0] = '\0';
	if (sqlite3_prepare_v2(db->h, s, -1, &st, NULL) != SQLITE_OK)
		return sql_fail(db, w, "cannot open");
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		(void)snprintf(text, n, "%s",
		    (const char *)sqlite3_column_text(st, 0));
	else if (rc != SQLITE_DONE)
		sql_fail(db, w, "cannot open");
	(void)sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* The same where a number is the answer, or none is looked at. */
static int
pragma(struct db *db, const char *s, int *v, struct why *w)
{
	char text[24];

	if (!pragma_text(db, s, text, sizeof(text), w))
		return 0;
	if (v != NULL)
		*v = atoi(text);
	return 1;
}

/* A log, which a backup by VACUUM INTO lacks: readers hold nobody up. */
static int
use_wal(struct db *db, struct why *w)
{
	char mode[16];

	if (!pragma_text(db, "pragma journal_mode=wal", mode, sizeof(mode), w))
		return 0;
	return strcmp(mode, "wal") == 0 ||
	    why_set(w, "database",
		"%s: cannot be put into WAL mode, stays in mode %s: put it on "
		"a local disk, and run again when no other process holds it",
		db->name, mode);
}

/* Makes the tables of a new archive. */
static int
create(struct db *db, struct why *w)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "pragma application_id=%d",
	    SQL_APPLICATION_ID);
	if (!pragma(db, text, NULL, w) ||
	    !pragma(db, "pragma user_version=2", NULL, w) || !use_wal(db, w))
		return 0;
	if (sqlite3_exec(db->h, sql_schema, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(db, w, "cannot create the tables");
	return 1;
}

/* May it be written?  What is not ours would run with what we write. */
static int
writer(struct db *db, struct why *w)
{
	int rc = db->fresh ? 1 : sql_schema_same(db, w);

	if (rc == 0)
		why_set(w, "database",
		    "%s: the schema is not that of ca-db(5): a trigger or view "
		    "may change what is written: go back to a copy, or drop it",
		    db->name);
	return rc == 1 && use_wal(db, w);
}

/* Settings of the connection; is it an archive, and of our version? */
static int
set_up(struct db *db, enum db_mode mode, struct why *w)
{
	size_t i;
	int v = 0;

	(void)sqlite3_busy_timeout(db->h, BUSY_MS);
	(void)sqlite3_db_config(db->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (db->fresh && !create(db, w))
		return 0;
	for (i = 0; sql_settings[i] != NULL; i++)
		if (!pragma(db, sql_settings[i], NULL, w))
			return 0;
	if (!pragma(db, "pragma application_id", &v, w))
		return 0;
	if (v != SQL_APPLICATION_ID)
		return why_set(w, "database",
		    "%s: a database, but not an archive of kms2ca", db->name);
	if (!pragma(db, "pragma user_version", &v, w))
		return 0;
	if (v != SQL_USER_VERSION)
		return why_set(w, "database",
		    "%s: archive version %d, this kms2ca knows %d%s", db->name,
		    v, SQL_USER_VERSION,
		    v < SQL_USER_VERSION ? " (ca-db(5) says how to raise it)" :
					   "");
	return mode == DB_READ || writer(db, w);
}

/* The URI of the file as it stands, on a medium that nobody can write. */
static char *
immutable(const char *path)
{
	char *uri = malloc(3 * strlen(path) + sizeof("file:?immutable=1"));
	char *p = uri;

	if (uri == NULL)
		return NULL;
	for (p += sprintf(p, "file:"); *path != '\0'; path++)
		if (strchr("%?#", *path) != NULL)
			p += sprintf(p, "%%%02x", (unsigned char)*path);
		else
			*p++ = *path;
	(void)strcpy(p, "?immutable=1");
	return uri;
}

/* Chooses how a reader opens the file, so that it leaves no trace. */
static int
reader(const struct db *db, char **uri)
{
	int idle, writable = access(db->dir, W_OK) == 0;
	struct stat st;
	char *wal;

	if (asprintf(&wal, "%s-wal", db->path) == -1)
		return SQLITE_OPEN_READONLY;
	idle = stat(wal, &st) == -1 || st.st_size == 0;
	free(wal);
	/* a read-only medium cannot hold the -shm file of a WAL reader */
	if (idle && !writable)
		*uri = immutable(db->path);
	/* only a writer's connection removes the -shm that it made */
	return idle && writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
}

/* Whoever exits with an archive open leaves one file of it, not three. */
static struct db *opened;

static void
close_opened(void)
{
	db_close(opened);
}

static int
connect_to(struct db *db, enum db_mode mode, struct why *w)
{
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW, rc;
	char *uri = NULL;

	flags |= mode == DB_READ ? reader(db, &uri) : SQLITE_OPEN_READWRITE;
	rc = sqlite3_open_v2(uri != NULL ? uri : db->path, &db->h, flags, NULL);
	free(uri);
	if (rc != SQLITE_OK)
		return sql_fail(db, w, "cannot open");
	return set_up(db, mode, w);
}

int
db_open(struct db **out, const char *path, enum db_mode mode, int *fresh,
    struct why *w)
{
	struct db *db;

	if (strncmp(path, "postgresql:", 11) == 0 ||
	    strncmp(path, "postgres:", 9) == 0)
		return why_set(w, "database",
		    "this build has no PostgreSQL: name a file");
	if ((db = calloc(1, sizeof(*db))) == NULL)
		return why_set(w, "database", "out of memory");
	if (!locate(db, path, w) || !check_file(db, mode, w) ||
	    !connect_to(db, mode, w)) {
		db_close(db);
		return 0;
	}
	if (fresh != NULL)
		*fresh = db->fresh;
	opened = db;
	(void)atexit(close_opened);
	*out = db;
	return 1;
}

static void
disconnect(struct db *db)
{
	int i;

	for (i = 0; i < NSQL; i++) {
		(void)sqlite3_finalize(db->st[i]);
		db->st[i] = NULL;
	}
	(void)sqlite3_close(db->h);
	db->h = NULL;
}

/* Removes a new archive that was not published. */
static void
discard(const struct db *db)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char file[PATH_MAX + 16]; /* there may be no memory */
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s%s", db->path, ends[i]);
		(void)unlink(file);
	}
}

/* Renames the new archive, but never over another.  Returns 0, or -1. */
static int
rename_new(const struct db *db)
{
	if (renameat2(AT_FDCWD, db->path, AT_FDCWD, db->name,
		RENAME_NOREPLACE) == 0)
		return 0;
	/* not every file system can */
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(db->path, db->name) == -1 ? -1 : unlink(db->path);
}

/* A name must be on the disk before anybody relies on it.  1, or 0 with *w. */
static int
sync_dir(const struct db *db, struct why *w)
{
	int fd = open(db->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = fd != -1 && (fsync(fd) == 0 || errno == EINVAL);
	if (!rc)
		why_set(w, "database",
		    "%s: made, but its directory cannot be synced: %s (look at "
		    "the disk, and run again)",
		    db->name, strerror(errno));
	if (fd != -1)
		(void)close(fd);
	return rc;
}

int
db_publish(struct db *db, struct why *w)
{
	int busy = 0;

	if (!db->fresh)
		return 1;
	/* closing does this too, but says nothing when it fails */
	if (!pragma(db, "pragma wal_checkpoint(truncate)", &busy, w))
		return 0;
	if (busy)
		return why_set(w, "database",
		    "%s: another process holds it: run again", db->path);
	disconnect(db);
	if (rename_new(db) == -1)
		return why_set(w, "database", "%s: cannot create: %s%s",
		    db->name, strerror(errno),
		    errno == EEXIST ? " (another process made it: run again)" :
				      "");
	return sync_dir(db, w);
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	if (db == opened)
		opened = NULL;
	disconnect(db);
	if (db->fresh)
		discard(db);
	free(db->path);
	free(db->name);
	free(db->dir);
	free(db);
}

const char *
db_dir0(const struct db *db)
{
	return db->dir;
}

/* Settings -------------------------------------------------------------- */

int
db_config_set(struct db *db, const char *name, uint32_t v, struct why *w)
{
	sqlite3_stmt *st;

	if ((st = sql_ready(db, CONFIG_SET, w)) == NULL)
		return 0;
	sql_bind_s(st, 1, name);
	(void)sqlite3_bind_int64(st, 2, v);
	(void)sqlite3_bind_int64(st, 3, db->audit);
	return sql_put(db, st, w);
}

/* Steps CONFIG_GET.  1: the row is at hand; 0: none; -1 with *w. */
static int
config(struct db *db, const char *name, sqlite3_stmt **st, struct why *w)
{
	int rc;

	if ((*st = sql_ready(db, CONFIG_GET, w)) == NULL)
		return -1;
	sql_bind_s(*st, 1, name);
	if ((rc = sqlite3_step(*st)) != SQLITE_ROW && rc != SQLITE_DONE) {
		sql_fail(db, w, "cannot read");
		return -1;
	}
	return rc == SQLITE_ROW;
}

int
db_config_get(struct db *db, const char *name, uint32_t *v, struct why *w)
{
	sqlite3_stmt *st;
	int rc = config(db, name, &st, w);

	int64_t n = rc == 1 ? sqlite3_column_int64(st, 0) : 0;

	*v = (uint32_t)n;
	if (rc == 1 &&
	    (sqlite3_column_type(st, 0) != SQLITE_INTEGER || n != *v))
		rc = -1 +
		    why_set(w, "database",
			"%s: the value of %s is not a number of 32 bits " DB_ALTERED,
			db->name, name);
	(void)sqlite3_reset(st);
	return rc != -1;
}

int
db_ca_set(struct db *db, const uint8_t *der, size_t n, struct why *w)
{
	sqlite3_stmt *st;

	if ((st = sql_ready(db, CONFIG_SET, w)) == NULL)
		return 0;
	sql_bind_s(st, 1, "CACertificate");
	sql_bind_b(st, 2, der, n);
	(void)sqlite3_bind_int64(st, 3, db->audit);
	return sql_put(db, st, w);
}

/* The certificate in the first column, all of it.  NULL with *w. */
static X509 *
parse(struct db *db, sqlite3_stmt *st, const char *whose, struct why *w)
{
	const uint8_t *der = sqlite3_column_blob(st, 0), *p = der;
	int n = sqlite3_column_bytes(st, 0);
	X509 *x = n > 0 ? d2i_X509(NULL, &p, n) : NULL;

	if (x != NULL && p == der + n)
		return x;
	X509_free(x);
	why_set(w, "database",
	    "%s: the certificate of %s in it does not parse " DB_ALTERED,
	    db->name, whose);
	return NULL;
}

int
db_ca_get(struct db *db, X509 **ca, struct why *w)
{
	sqlite3_stmt *st;
	int rc = config(db, "CACertificate", &st, w);

	*ca = rc == 1 ? parse(db, st, "the CA", w) : NULL;
	if (rc == 1 && *ca == NULL)
		rc = -1;
	(void)sqlite3_reset(st);
	return rc != -1;
}

/* Key recovery agents --------------------------------------------------- */

int
db_kra_add(struct db *db, const struct cert *c, struct why *w)
{
	sqlite3_stmt *st;
	char when[24];

	if ((st = sql_ready(db, KRA_ADD, w)) == NULL)
		return -1;
	sql_bind_hex(st, 1, c->sha1, sizeof(c->sha1));
	sql_bind_hex(st, 2, c->sha256, sizeof(c->sha256));
	sql_bind_b(st, 3, c->der, c->len);
	sql_bind_s(st, 4, sql_now(when));
	(void)sqlite3_bind_int64(st, 5, db->audit);
	return sql_run(db, st, w) ? sqlite3_changes(db->h) : -1;
}

int
db_kra_all(struct db *db, STACK_OF(X509) **out, struct why *w)
{
	sqlite3_stmt *st;
	X509 *x;
	int rc;

	if ((st = sql_ready(db, KRA_ALL, w)) == NULL)
		return 0;
	*out = sk_X509_new_null();
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if ((x = parse(db, st, "a KRA", w)) == NULL)
			break;
		if (!sk_X509_push(*out, x)) {
			X509_free(x);
			why_set(w, "database", "out of memory");
			break;
		}
	}
	if (rc != SQLITE_DONE) {
		if (rc != SQLITE_ROW)
			sql_fail(db, w, "cannot read");
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

	if ((st = sql_ready(db, FIND, w)) == NULL)
		return -1;
	sql_bind_hex(st, 1, sha256, 32);
	if ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		*id = sqlite3_column_int64(st, 0);
		*has_key = sqlite3_column_int(st, 1);
	} else if (rc != SQLITE_DONE)
		sql_fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

int
db_find_serial(struct db *db, const struct cert *c, int64_t *id, struct why *w)
{
	sqlite3_stmt *st;
	int rc;

	if ((st = sql_ready(db, FIND_SERIAL, w)) == NULL)
		return -1;
	sql_bind_s(st, 1, c->serial);
	sql_bind_s(st, 2, c->issuer);
	if ((rc = sqlite3_step(st)) == SQLITE_ROW)
		*id = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		sql_fail(db, w, "cannot read");
	(void)sqlite3_reset(st);
	return rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
}

static int
put_request(struct db *db, const struct db_row *r, struct why *w)
{
	const struct cert *c = r->cert;
	sqlite3_stmt *st;
	char when[24];

	if ((st = sql_ready(db, PUT_REQUEST, w)) == NULL)
		return 0;
	(void)sqlite3_bind_int(st, 1, r->disposition);
	sql_bind_s(st, 2,
	    r->disposition == DISP_FOREIGN ? "foreign certificate imported" :
					     "certificate imported");
	sql_bind_s(st, 3, sql_now(when));
	sql_bind_s(st, 4, r->requester);
	sql_bind_s(st, 5, r->caller);
	sql_bind_s(st, 6, c->subject);
	sql_bind_s(st, 7, c->cn);
	sql_bind_s(st, 8, c->ou);
	sql_bind_s(st, 9, c->org);
	sql_bind_s(st, 10, c->mail);
	sql_bind_t(st, 11, r->group);
	sql_bind_t(st, 12, r->user);
	sql_bind_t(st, 13, r->mail);
	sql_bind_t(st, 14, r->guid);
	sql_bind_t(st, 15, r->source);
	sql_bind_s(st, 16, r->stream);
	(void)sqlite3_bind_int64(st, 17, db->audit);
	return sql_put(db, st, w);
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
	if ((st = sql_ready(db, PUT_CERT, w)) == NULL)
		return 0;
	cert_key0(c, &bits, &nbits, oid, &params);
	plen = params == NULL ? 0 : i2d_ASN1_TYPE(params, &pder);
	(void)sqlite3_bind_int64(st, 1, *id);
	sql_bind_b(st, 2, c->der, c->len);
	sql_bind_hex(st, 3, c->sha1, sizeof(c->sha1));
	sql_bind_hex(st, 4, c->sha256, sizeof(c->sha256));
	sql_bind_s(st, 5, c->serial);
	sql_bind_s(st, 6, c->issuer);
	sql_bind_s(st, 7, c->not_before);
	sql_bind_s(st, 8, c->not_after);
	sql_bind_s(st, 9, c->ski);
	sql_bind_b(st, 10, bits, nbits);
	(void)sqlite3_bind_int(st, 11, c->bits);
	sql_bind_s(st, 12, oid);
	sql_bind_b(st, 13, pder, plen > 0 ? (size_t)plen : 0);
	sql_bind_hex(st, 14, c->spki, sizeof(c->spki));
	sql_bind_s(st, 15, c->upn);
	sql_bind_s(st, 16, c->subject);
	sql_bind_s(st, 17, c->cn);
	sql_bind_s(st, 18, c->ou);
	sql_bind_s(st, 19, c->org);
	sql_bind_s(st, 20, c->mail);
	rc = sql_put(db, st, w);
	OPENSSL_free(pder);
	return rc;
}

int
db_put_key(struct db *db, int64_t id, const struct db_key *k, struct why *w)
{
	sqlite3_stmt *st;

	if ((st = sql_ready(db, PUT_KEY, w)) == NULL)
		return 0;
	(void)sqlite3_bind_int64(st, 1, id);
	sql_bind_b(st, 2, k->blob, k->len);
	sql_bind_s(st, 3, k->hashes);
	sql_bind_s(st, 4, k->format);
	(void)sqlite3_bind_int64(st, 5, db->audit);
	if (!sql_run(db, st, w))
		return 0;
	return sqlite3_changes(db->h) == 1 ||
	    why_set(w, "database", "%s: row %lld has a key already", db->name,
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
	if ((st = sql_ready(db, TOKEN_ADD, w)) == NULL)
		return 0;
	sql_bind_s(st, 1, token);
	sql_bind_s(st, 2, hex);
	return sql_run(db, st, w);
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
		if ((st = sql_ready(db, SELECT, w)) == NULL)
			return -1;
		(void)sqlite3_bind_int64(st, 1, after);
	}
	if ((rc = sqlite3_step(st)) != SQLITE_ROW) {
		if (rc != SQLITE_DONE)
			sql_fail(db, w, "cannot read");
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
