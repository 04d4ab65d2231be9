#include "file/pvk.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/heap.h"
#include "key/private.h"

#define HEAD	     24 /* bytes in front of salt and key */
#define IS_ENCRYPTED 12 /* offset of a number that is 0 if it is not */

int
pvk_is(const uint8_t *p, size_t n)
{
	return n >= HEAD && memcmp(p, "\x1e\xf1\xb5\xb0", 4) == 0;
}

/* Gives the password at arg. */
static int
password(char *buf, int size, int rwflag, void *arg)
{
	size_t n = strlen(arg);

	(void)rwflag;
	if (n > (size_t)size)
		return -1;
	memcpy(buf, arg, n);
	return (int)n;
}

/* Returns the key under a password as PKCS#8 in secure memory, or NULL. */
static uint8_t *
open_with(const uint8_t *p, size_t n, const char *pass, size_t *len)
{
	BIO *bio = BIO_new_mem_buf(p, (int)n);
	EVP_PKEY *pk;
	uint8_t *p8 = NULL;

	heap_check();
	if (bio == NULL)
		heap_nomem();
	if ((pk = b2i_PVK_bio(bio, password, (void *)(uintptr_t)pass)) != NULL)
		p8 = private_p8(pk, len);
	EVP_PKEY_free(pk);
	BIO_free(bio);
	reason_clear();
	return p8;
}

int
pvk_read(const uint8_t *p, size_t n, struct secrets *s, struct findings *l,
    struct reason *w)
{
	int encrypted = memcmp(p + IS_ENCRYPTED, "\0\0\0\0", 4) != 0;
	const char *pass;
	uint8_t *p8 = NULL;
	size_t i, len;

	for (i = 0; p8 == NULL && (pass = secret_try(s, i)) != NULL; i++) {
		p8 = open_with(p, n, pass, &len);
		if (p8 != NULL && encrypted)
			secret_worked(s, i);
		if (!encrypted)
			break;
	}
	if (p8 == NULL)
		return encrypted ?
		    secret_wrong(s, "Microsoft PVK does not open", w) :
		    reason_set(w, "damaged",
			"Microsoft PVK that is not whole: fetch it again");
	findings_add_key(l, p8, len, NULL, 0);
	OPENSSL_secure_clear_free(p8, len);
	return 1;
}
