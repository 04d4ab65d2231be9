/*
 * floor DATA KIND N: what OpenSSL and SQLite themselves need for a key, strung
 * together as their documentation says, in microseconds of CPU a key; `make
 * bench' compares the tools with it.  DATA is what peers/gen.sh makes.
 *
 *	open	PKCS12_verify_mac(), and the key and the certificate bag decrypted
 *	store	two RSA encryptions and AES-256-CBC of a key of that size, and the
 *		insert of certificate and blob into SQLite, 500 a commit
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
#define BATCH	 500

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

static double
floor_store(const char *data, int n)
{
	EVP_PKEY_CTX *kra[2] = { agent(data, 1), agent(data, 2) };
	EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
	uint8_t blob[4096], cert[1100], hash[32];
	char path[] = "floor.XXXXXX";
	sqlite3_stmt *st;
	sqlite3 *db;
	double start;
	int i, len;

	must(close(mkstemp(path)) == 0, path);
	must(sqlite3_open(path, &db) == SQLITE_OK &&
		sqlite3_exec(db,
		    "pragma journal_mode=wal; pragma synchronous=full;"
		    "create table a(id integer primary key, hash blob, "
		    "cert blob, blob blob); create unique index h on a(hash)",
		    NULL, NULL, NULL) == SQLITE_OK &&
		sqlite3_prepare_v2(db, "insert into a values(null,?,?,?)", -1,
		    &st, NULL) == SQLITE_OK,
	    path);
	must(RAND_bytes(cert, sizeof(cert)) == 1, "random bytes");
	start = now();
	for (i = 0; i < n; i++) {
		if (i % BATCH == 0)
			(void)sqlite3_exec(db, "begin", NULL, NULL, NULL);
		len = envelope(kra, aes, blob);
		must(RAND_bytes(hash, sizeof(hash)) == 1, "random bytes");
		(void)sqlite3_bind_blob(st, 1, hash, sizeof(hash), NULL);
		(void)sqlite3_bind_blob(st, 2, cert, sizeof(cert), NULL);
		(void)sqlite3_bind_blob(st, 3, blob, len, NULL);
		must(sqlite3_step(st) == SQLITE_DONE, "insert");
		(void)sqlite3_reset(st);
		if (i % BATCH == BATCH - 1 || i == n - 1)
			(void)sqlite3_exec(db, "commit", NULL, NULL, NULL);
	}
	start = now() - start;
	(void)sqlite3_finalize(st);
	(void)sqlite3_close(db);
	(void)unlink(path);
	return start / n;
}

int
main(int argc, char *argv[])
{
	int n = argc == 4 ? atoi(argv[3]) : 0;

	if (n < 1) {
		(void)fprintf(stderr, "usage: floor DATA KIND N\n");
		return 2;
	}
	must(OSSL_PROVIDER_load(NULL, "default") != NULL &&
		OSSL_PROVIDER_load(NULL, "legacy") != NULL,
	    "legacy provider");
	(void)printf("open\t%.1f\nstore\t%.1f\n",
	    floor_open(argv[1], argv[2], n), floor_store(argv[1], n));
	return 0;
}
