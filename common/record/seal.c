#include "record/seal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define INFO "kms2ca seal v1"

/* Derives a key: RFC 5869, salt = id, info = INFO and the hash of the head. */
static int
derive(uint8_t out[BOX_KEY], const uint8_t key[BOX_KEY],
    const uint8_t id[BOX_ID], const uint8_t head[32])
{
	uint8_t info[sizeof(INFO) - 1 + 32], salt[BOX_ID], ikm[BOX_KEY];
	char sha256[] = "SHA256";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = { OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST,
				    sha256, 6),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, ikm, sizeof(ikm)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, salt,
		    sizeof(salt)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info,
		    sizeof(info)),
		OSSL_PARAM_END };
	int rc;

	memcpy(ikm, key, sizeof(ikm));
	memcpy(salt, id, sizeof(salt));
	memcpy(info, INFO, sizeof(INFO) - 1);
	memcpy(info + sizeof(INFO) - 1, head, 32);
	rc = ctx != NULL && EVP_KDF_derive(ctx, out, BOX_KEY, params) == 1;
	OPENSSL_cleanse(ikm, sizeof(ikm));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return rc;
}

struct box *
seal_new(const uint8_t key[BOX_KEY], const uint8_t id[BOX_ID],
    const uint8_t head[32])
{
	uint8_t k[BOX_KEY];
	struct box *b = derive(k, key, id, head) ? box_new(k, id) : NULL;

	OPENSSL_cleanse(k, sizeof(k));
	return b;
}
