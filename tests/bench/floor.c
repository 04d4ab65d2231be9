/*
 * floor open DATA KIND N
 * floor try DATA KIND N
 * floor store DATA N [ARCHIVE]
 *
 * What OpenSSL and SQLite themselves need for a key, strung together as their
 * documentation says, in microseconds of CPU a key; `make bench' compares the
 * tools with it.  DATA is what peers/gen.sh makes.
 *
 *	open	PKCS12_verify_mac(), and the key and the certificate bag decrypted
 *	try	PKCS12_verify_mac() of one file, with another password each time
 *	store	two RSA encryptions and AES-256-CBC of a key of that size, and the
 *		insert of certificate and blob into SQLite, 1,000 a commit: into one
 *		table with one index, or the two with five of an archive that has
 *		one row, which the others become like
 */

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PASSWORD "Migrate!2003" /* of gen.sh */
#define KEY	 1190 /* bytes of a PRIVATEKEYBLOB of RSA-2048 */
#define BATCH	 1000
#define CERT	 800 /* and of a certificate */

static void
must(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "floor: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static PKCS12 *
load(const char *data, const char *kind, int i)
{
	char path[4096];
	PKCS12 *p;
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/%s/%06d.p12", data, kind, i);
	must((fp = fopen(path, "r")) != NULL, path);
	must((p = d2i_PKCS12_fp(fp, NULL)) != NULL, path);
	(void)fclose(fp);
	return p;
}

/* Decrypts the keys of a part that is not encrypted itself. */
static void
open_keys(PKCS7 *p7)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = PKCS12_unpack_p7data(p7);
	PKCS8_PRIV_KEY_INFO *p8;
	int i;

	for (i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		p8 = PKCS12_decrypt_skey(sk_PKCS12_SAFEBAG_value(bags, i),
		    PASSWORD, -1);
		must(p8 != NULL, "key");
		PKCS8_PRIV_KEY_INFO_free(p8);
	}
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static void
open_one(PKCS12 *p12)
{
	STACK_OF(PKCS7) *safes;
	STACK_OF(PKCS12_SAFEBAG) *bags;
	PKCS7 *p7;
	int i;

	must(PKCS12_verify_mac(p12, PASSWORD, -1), "MAC");
	must((safes = PKCS12_unpack_authsafes(p12)) != NULL, "parts");
	for (i = 0; i < sk_PKCS7_num(safes); i++) {
		p7 = sk_PKCS7_value(safes, i);
		if (PKCS7_type_is_data(p7)) {
			open_keys(p7);
			continue;
		}
		bags = PKCS12_unpack_p7encdata(p7, PASSWORD, -1);
		must(bags != NULL, "certificate");
		sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	}
	sk_PKCS7_pop_free(safes, PKCS7_free);
}

static double
floor_open(const char *data, const char *kind, int n)
{
	double start, spent = 0;
	PKCS12 *p12;
	int i;

	for (i = 1; i <= n; i++) {
		p12 = load(data, kind, i);
		start = now();
		open_one(p12);
		spent += now() - start;
		PKCS12_free(p12);
	}
	return spent / n;
}

static double
floor_try(const char *data, const char *kind, int n)
{
	PKCS12 *p12 = load(data, kind, 1);
	char password[32];
	double start = now();
	int i;

	for (i = 0; i < n; i++) {
		(void)snprintf(password, sizeof(password), "wrong %d", i);
		must(!PKCS12_verify_mac(p12, password, -1), "MAC");
	}
	PKCS12_free(p12);
	return (now() - start) / n;
}

/* A context that encrypts to the agent, kept warm. */
static EVP_PKEY_CTX *
agent(const char *data, int i)
{
	char path[4096];
	EVP_PKEY_CTX *ctx;
	X509 *x;
	FILE *fp;

	(void)snprintf(path, sizeof(path), "%s/kra%d.crt", data, i);
	must((fp = fopen(path, "r")) != NULL, path);
	must((x = PEM_read_X509(fp, NULL, NULL, NULL)) != NULL, path);
	(void)fclose(fp);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, X509_get0_pubkey(x), NULL);
	must(ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1, path);
	X509_free(x);
	return ctx;
}

/* An envelope without its ASN.1; returns its size. */
static int
envelope(EVP_PKEY_CTX *kra[2], EVP_CIPHER_CTX *aes, uint8_t blob[4096])
{
	static const uint8_t key[KEY];
	uint8_t session[48];
	size_t n = 256;
	int len, last;

	must(RAND_bytes(session, sizeof(session)) == 1, "random bytes");
	must(EVP_PKEY_encrypt(kra[0], blob, &n, session, 32) == 1 &&
		EVP_PKEY_encrypt(kra[1], blob + 256, &n, session, 32) == 1,
	    "RSA");
	must(EVP_EncryptInit_ex(aes, EVP_aes_256_cbc(), NULL, session,
		 session + 32) &&
		EVP_EncryptUpdate(aes, blob + 512, &len, key, KEY) &&
		EVP_EncryptFinal_ex(aes, blob + 512 + len, &last),
	    "AES");
	return 512 + len + last;
}

/* ?1 number, ?2 blob, ?3 certificate, ?4 and ?5 hex of 64 and 40 digits, ?6 batch */
static const char *const one_table[] = {
	"create table a(id integer primary key, hash text, cert blob, blob blob);"
	"create unique index h on a(hash)",
	"insert into a values(?1, ?4, ?3, ?2)", NULL
};
static const char *const two_tables[] = {
	"create temp table r as select * from request;"
	"create temp table c as select * from certificate;"
	"delete from certificate; delete from request",
	"insert into request select ?1, ?2, KeyRecoveryHashes, StatusCode,"
	" Disposition, DispositionMessage, SubmittedWhen, ResolvedWhen,"
	" RequesterName, CallerName, DistinguishedName, CommonName, OrgUnit,"
	" Organization, EMail, KeyFormat, KmsGroup, KmsUser, KmsMail,"
	" MailboxGuid, Source, StreamId, ?6, ?6 from temp.r",
	"insert into certificate select ?1, ?3, CertificateHash, ?4, ?5,"
	" IssuerName, NotBefore, NotAfter, SubjectKeyIdentifier, RawPublicKey,"
	" PublicKeyLength, PublicKeyAlgorithm, RawPublicKeyAlgorithmParameters,"
	" SpkiHash, UPN, DistinguishedName, CommonName, OrgUnit, Organization,"
	" EMail from temp.c",
};

/* A database as ca-import has it, and its one or two inserts. */
static sqlite3 *
open_db(const char *path, const char *const sql[3], sqlite3_stmt *st[2])
{
	sqlite3 *db;
	int i;

	must(sqlite3_open(path, &db) == SQLITE_OK &&
		sqlite3_exec(db,
		    "pragma journal_mode=wal; pragma synchronous=full;"
		    "pragma temp_store=memory; pragma cache_size=-8000",
		    NULL, NULL, NULL) == SQLITE_OK &&
		sqlite3_exec(db, sql[0], NULL, NULL, NULL) == SQLITE_OK,
	    path);
	for (i = 0; i < 2; i++) {
		st[i] = NULL;
		must(sql[1 + i] == NULL ||
			sqlite3_prepare_v2(db, sql[1 + i], -1, &st[i], NULL) ==
			    SQLITE_OK,
		    sql[1 + i]);
	}
	return db;
}

static void
insert(sqlite3_stmt *st, int i, const uint8_t *blob, int len,
    const uint8_t cert[CERT])
{
	uint8_t hash[32];
	char hex[65];
	size_t n;

	must(RAND_bytes(hash, sizeof(hash)) == 1 &&
		OPENSSL_buf2hexstr_ex(hex, sizeof(hex), &n, hash, sizeof(hash),
		    '\0'),
	    "random bytes");
	/* those that it has not are refused, which does no harm */
	(void)sqlite3_bind_int(st, 1, i + 1);
	(void)sqlite3_bind_blob(st, 2, blob, len, NULL);
	(void)sqlite3_bind_blob(st, 3, cert, CERT, NULL);
	(void)sqlite3_bind_text(st, 4, hex, 64, NULL);
	(void)sqlite3_bind_text(st, 5, hex, 40, NULL);
	(void)sqlite3_bind_int(st, 6, i / BATCH);
	must(sqlite3_step(st) == SQLITE_DONE &&
		sqlite3_changes(sqlite3_db_handle(st)) == 1,
	    "insert");
	(void)sqlite3_reset(st);
}

static double
floor_store(const char *data, int n, const char *archive)
{
	EVP_PKEY_CTX *kra[2] = { agent(data, 1), agent(data, 2) };
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	uint8_t blob[4096], cert[CERT];
	char path[] = "floor.XXXXXX";
	sqlite3_stmt *st[2];
	sqlite3 *db;
	double start;
	int i, len;

	must(close(mkstemp(path)) == 0, path);
	db = archive == NULL ? open_db(path, one_table, st) :
			       open_db(archive, two_tables, st);
	must(RAND_bytes(cert, sizeof(cert)) == 1, "random bytes");
	start = now();
	for (i = 0; i < n; i++) {
		if (i % BATCH == 0)
			(void)sqlite3_exec(db, "begin", NULL, NULL, NULL);
		len = envelope(kra, aes, blob);
		insert(st[0], i, blob, len, cert);
		if (st[1] != NULL)
			insert(st[1], i, blob, len, cert);
		if (i % BATCH == BATCH - 1 || i == n - 1)
			must(sqlite3_exec(db, "commit", NULL, NULL, NULL) ==
				SQLITE_OK,
			    "commit");
	}
	start = now() - start;
	(void)sqlite3_finalize(st[0]);
	(void)sqlite3_finalize(st[1]);
	(void)sqlite3_close(db);
	(void)unlink(path);
	return start / n;
}

int
main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";
	double us;

	must(OSSL_PROVIDER_load(NULL, "default") != NULL &&
		OSSL_PROVIDER_load(NULL, "legacy") != NULL,
	    "legacy provider");
	if (strcmp(what, "open") == 0 && argc == 5 && atoi(argv[4]) > 0)
		us = floor_open(argv[2], argv[3], atoi(argv[4]));
	else if (strcmp(what, "try") == 0 && argc == 5 && atoi(argv[4]) > 0)
		us = floor_try(argv[2], argv[3], atoi(argv[4]));
	else if (strcmp(what, "store") == 0 && (argc == 4 || argc == 5) &&
	    atoi(argv[3]) > 0)
		us = floor_store(argv[2], atoi(argv[3]), argv[4]);
	else {
		(void)fprintf(stderr,
		    "usage: floor open DATA KIND N\n"
		    "       floor try DATA KIND N\n"
		    "       floor store DATA N [ARCHIVE]\n");
		return 2;
	}
	(void)printf("%.1f\n", us);
	return 0;
}
