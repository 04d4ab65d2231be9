#include "store/store.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opening --------------------------------------------------------------- */

/*
 * The archive that is closed at exit, so that SQLite removes -wal and -shm.  A
 * fork does not close it: its copy is of no use.
 */
static struct store *opened;
static pid_t opener;

static void
close_opened(void)
{
	if (getpid() == opener)
		store_close(opened);
}

/*
 * Makes an archive in PostgreSQL, by the plugin in ../lib/kms2ca of the tool,
 * where the Makefile has it looked for.  Returns NULL with *w on failure.
 */
static struct store *
remote_new(const char *url, struct reason *w)
{
	struct store *(*new)(const char *, struct reason *);
	void *plugin = dlopen("kms2ca-pg.so", RTLD_NOW | RTLD_LOCAL);

	if (plugin != NULL &&
	    (*(void **)&new = dlsym(plugin, "postgres_new")) != NULL)
		return new (url, w);
	/* the URL may have a password */
	reason_set(w, "database",
	    "-d: no PostgreSQL here: %s: install libpq 14 or later (libpq5 on "
	    "Debian); if kms2ca was built without, install libpq-dev and build "
	    "again",
	    dlerror());
	return NULL;
}

/* Returns 1 for libpq's keywords of a server, which may include a password. */
static int
is_keywords(const char *path)
{
	static const char *const word[] = { "dbname=", "host=", "hostaddr=",
		"password=", "service=", "user=" };
	const char *p;
	size_t i;

	for (i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		if ((p = strstr(path, word[i])) != NULL &&
		    (p == path || p[-1] == ' '))
			return 1;
	return 0;
}

int
store_new(struct store **out, const char *path, struct reason *w)
{
	int url = strncmp(path, "postgresql://", 13) == 0 ||
	    strncmp(path, "postgres://", 11) == 0;

	if (!url && is_keywords(path))
		return reason_set(w, "usage",
		    "-d: name a server by a URL, postgresql://..., or a file "
		    "(ca-db(5) shows some); if there was a password, change it: "
		    "others can see a command line");
	if ((*out = url ? remote_new(path, w) : sqlite_new(path, w)) == NULL)
		return 0;
	(*out)->faults = TABLE_OF(char[FAULT_HASH], FAULT_HASH, FAULTS_MAX);
	return 1;
}

int
store_open(struct store *db, enum store_mode mode, int *fresh, struct reason *w)
{
	opened = db;
	opener = getpid();
	(void)atexit(close_opened);
	if (!db->driver->open(db, mode, w))
		return 0;
	if (fresh != NULL)
		*fresh = db->fresh;
	return 1;
}

int
store_publish(struct store *db, struct reason *w)
{
	return !db->fresh || db->driver->publish(db, w);
}

void
store_close(struct store *db)
{
	if (db == NULL)
		return;
	if (db == opened)
		opened = NULL;
	sql_forget(db);
	OPENSSL_free(db->chosen);
	sql_forget_names(db);
	OPENSSL_free(db->names);
	sql_free_seen(&db->found.seen);
	table_clear(&db->faults);
	db->driver->close(db);
}

const char *
store_dir0(const struct store *db)
{
	return db->dir;
}

/* Settings -------------------------------------------------------------- */

int
store_setting_set(struct store *db, const char *name, uint32_t v,
    struct reason *w)
{
	struct sql_st *st;

	if ((st = sql_ready(db, SETTING_SET, w)) == NULL)
		return 0;
	sql_bind_s(st, 1, name);
	sql_bind_i(st, 2, v);
	sql_bind_i(st, 3, db->audit);
	return sql_put(st, w);
}

/* Steps SETTING_GET or CA_GET.  Returns 1 with the row, 0, or -1 with *w. */
static int
config(struct store *db, enum sql get, const char *name, struct sql_st **st,
    struct reason *w)
{
	if ((*st = sql_ready(db, get, w)) == NULL)
		return -1;
	sql_bind_s(*st, 1, name);
	return sql_step(*st, w);
}

int
store_setting_get(struct store *db, const char *name, uint32_t *v,
    struct reason *w)
{
	struct sql_value is;
	struct sql_st *st;
	int rc = config(db, SETTING_GET, name, &st, w);

	*v = 0;
	if (rc != 1)
		return rc == 0;
	sql_column(st, 0, &is);
	sql_reset(st);
	*v = (uint32_t)is.i;
	return (is.type == SQL_INT && is.i == *v) ||
	    reason_set(w, "database",
		"%s: the value of %s is not a number of 32 bits " STORE_ALTERED,
		db->name, name);
}

int
store_ca_set(struct store *db, const uint8_t *der, size_t n, struct reason *w)
{
	struct sql_st *st;

	if ((st = sql_ready(db, CA_SET, w)) == NULL)
		return 0;
	sql_bind_s(st, 1, "CACertificate");
	sql_bind_b(st, 2, der, n);
	sql_bind_i(st, 3, db->audit);
	return sql_put(st, w);
}

/* Returns the certificate in the first column, or NULL with *w. */
static X509 *
parse(struct sql_st *st, const char *whose, struct reason *w)
{
	struct sql_value v;
	const uint8_t *p;
	X509 *x = NULL;

	sql_column(st, 0, &v);
	p = v.p;
	if (v.n > 0 && v.n <= INT_MAX)
		x = d2i_X509(NULL, &p, (long)v.n);
	if (x != NULL && p == (const uint8_t *)v.p + v.n)
		return x;
	X509_free(x);
	reason_set(w, "database",
	    "%s: the certificate of %s in it does not parse " STORE_ALTERED,
	    st->db->name, whose);
	return NULL;
}

int
store_ca_get(struct store *db, X509 **ca, struct reason *w)
{
	struct sql_st *st;
	int rc = config(db, CA_GET, "CACertificate", &st, w);

	*ca = NULL;
	if (rc != 1)
		return rc == 0;
	*ca = parse(st, "the CA", w);
	sql_reset(st);
	return *ca != NULL;
}

/* Key recovery agents --------------------------------------------------- */

int
store_agent_add(struct store *db, const struct cert *c, struct reason *w)
{
	char when[24], sha1[41], sha256[65];
	struct sql_st *st;

	if ((st = sql_ready(db, AGENT_ADD, w)) == NULL)
		return -1;
	sql_bind_hex(st, 1, c->sha1, sizeof(c->sha1), sha1);
	sql_bind_hex(st, 2, c->sha256, sizeof(c->sha256), sha256);
	sql_bind_b(st, 3, c->der, c->len);
	sql_bind_s(st, 4, sql_now(when));
	sql_bind_i(st, 5, db->audit);
	return sql_run(st, w);
}

/* Runs a statement that counts.  Returns 1 above 0, else 0, or -1 with *w. */
static int
some(struct store *db, enum sql n, const char *hash, struct reason *w)
{
	struct sql_st *st = sql_ready(db, n, w);
	int rc;

	if (st == NULL)
		return -1;
	sql_bind_s(st, 1, hash);
	if (!sql_one(st, w))
		return -1;
	rc = sql_int(st, 0) > 0;
	sql_reset(st);
	return rc;
}

int
store_agent_forced(struct store *db, const char *sha1, struct reason *w)
{
	return some(db, AGENT_FORCED, sha1, w);
}

int
store_agent_is(struct store *db, const char *sha256, struct reason *w)
{
	return some(db, AGENT_IS, sha256, w);
}

int
store_agent_left(struct store *db, const char *sha1, struct reason *w)
{
	return some(db, AGENT_LEFT, sha1, w);
}

int
store_agent_all(struct store *db, STACK_OF(X509) **out, struct reason *w)
{
	struct sql_st *st;
	X509 *x;
	int rc;

	if ((st = sql_ready(db, AGENT_ALL, w)) == NULL)
		return 0;
	*out = sk_X509_new_null();
	while ((rc = sql_step(st, w)) == 1) {
		if ((x = parse(st, "a KRA", w)) == NULL)
			break;
		if (!sk_X509_push(*out, x)) {
			X509_free(x);
			reason_set(w, "database", "out of memory");
			break;
		}
	}
	sql_reset(st);
	if (rc != 0) {
		sk_X509_pop_free(*out, X509_free);
		*out = NULL;
	}
	return rc == 0;
}

int
store_agent_count(struct store *db, uint32_t *n, struct reason *w)
{
	struct sql_st *st = sql_ready(db, AGENT_COUNT, w);

	if (st == NULL || !sql_one(st, w))
		return 0;
	*n = (uint32_t)sql_int(st, 0);
	sql_reset(st);
	return 1;
}
