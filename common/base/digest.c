#include "base/digest.h"

#include <openssl/evp.h>

#include "base/heap.h"

/* Hashes with the context of the last call, or a new one. */
static void
hash(EVP_MD_CTX **ctx, const EVP_MD *md, uint8_t *out, const void *p, size_t n)
{
	const EVP_MD *first = *ctx == NULL ? md : NULL;

	if (*ctx == NULL && (*ctx = EVP_MD_CTX_new()) == NULL)
		heap_nomem();
	if (!EVP_DigestInit_ex(*ctx, first, NULL) ||
	    !EVP_DigestUpdate(*ctx, p, n) ||
	    !EVP_DigestFinal_ex(*ctx, out, NULL))
		heap_nomem();
}

void
digest_sha1(uint8_t out[20], const void *p, size_t n)
{
	static EVP_MD_CTX *ctx;

	hash(&ctx, EVP_sha1(), out, p, n);
}

void
digest_sha256(uint8_t out[32], const void *p, size_t n)
{
	static EVP_MD_CTX *ctx;

	hash(&ctx, EVP_sha256(), out, p, n);
}
