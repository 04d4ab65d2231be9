/* Recovery blobs, and the private keys in them. */

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "ca/blob_open.h"
#include "ca/getkey_file.h"
#include "file/cred.h"
#include "fuzz.h"
#include "key/private.h"
#include "key/winblob.h"

/* The KRA of the seeds, if the environment names it; else a new one. */
static const struct trust *
agent(void)
{
	static struct trust_pair pair;
	static struct trust k;
	const char *path = getenv("KMS2CA_FUZZ_KRA");
	struct reason w;

	if (k.n > 0 ||
	    (path != NULL && cred_load(&k, path, 1, fuzz_secrets(), &w)))
		return &k;
	pair.key = EVP_EC_gen("P-256");
	pair.cert = X509_new();
	X509_set_pubkey(pair.cert, pair.key);
	X509_gmtime_adj(X509_getm_notBefore(pair.cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(pair.cert), 1000);
	X509_sign(pair.cert, pair.key, EVP_sha256());
	k.v = &pair;
	k.n = k.nkeys = 1;
	return &k;
}

static void
blob(void *arg, const uint8_t *p, size_t n)
{
	uint8_t *p8;
	struct cert *c;
	struct reason w;
	size_t len;

	(void)arg;
	if (blob_open_signed(agent(), NULL, p, n, &p8, &len, &c, &w)) {
		OPENSSL_secure_clear_free(p8, len);
		cert_free(c);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t *p8, *text, id[32];
	struct reason w;
	size_t len;

	if ((text = OPENSSL_memdup(p, n)) != NULL)
		(void)getkey_file_each(text, n, blob, NULL);
	OPENSSL_free(text);
	if ((p8 = winblob_key(p, n, &len)) != NULL) {
		(void)private_id(p8, len, id, &w);
		OPENSSL_secure_clear_free(p8, len);
	}
	if ((p8 = private_traditional(p, n, &len)) != NULL)
		OPENSSL_secure_clear_free(p8, len);
	return 0;
}
