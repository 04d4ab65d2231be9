/* Key derivations: ours, side by side in each way, give what OpenSSL's do. */

#include <openssl/pkcs12.h>
#include <string.h>

#include "fuzz.h"
#include "lock/kdf.h"

#define MANY	40 /* more than are done side by side */
#define OUT_MAX 100 /* more than three hashes */

static int
by_openssl(const struct kdf *k, uint8_t *out)
{
	if (k->id == 0)
		return PKCS5_PBKDF2_HMAC((const char *)k->pass, (int)k->npass,
		    k->salt, (int)k->nsalt, (int)k->rounds, k->md, (int)k->n,
		    out);
	return PKCS12_key_gen_uni((uint8_t *)k->pass, (int)k->npass,
	    (uint8_t *)k->salt, (int)k->nsalt, k->id, (int)k->rounds, (int)k->n,
	    out, k->md);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const EVP_MD *mds[] = { EVP_sha1(), EVP_sha256(), EVP_sha1(),
		EVP_sha256(), EVP_md5() };
	static uint8_t want[MANY][OUT_MAX], got[MANY][OUT_MAX];
	struct kdf k[MANY];
	size_t i, count;
	int way;

	for (count = 0; count < MANY && n >= 6; count++) {
		k[count].md = mds[p[0] % 5];
		/* few, now and then many */
		k[count].rounds = 1 + (p[2] < 16 ? p[1] * 3 : p[1] % 32);
		k[count].n = 1 + p[3] % OUT_MAX;
		k[count].id = p[4] % 4;
		k[count].out = got[count];
		i = p[5] % 80;
		p += 6;
		n -= 6;
		k[count].pass = p;
		k[count].npass = i < n ? i : n;
		k[count].salt = p + k[count].npass;
		k[count].nsalt = n - k[count].npass;
		if (k[count].nsalt > 200)
			k[count].nsalt = 200;
		p += k[count].npass;
		n -= k[count].npass;
		fuzz_must(by_openssl(&k[count], want[count]), "by OpenSSL");
	}
	for (way = -1; kdf_use(way); way++) {
		memset(got, 0, sizeof(got));
		fuzz_must(kdf_derive(k, count), "a derivation");
		for (i = 0; i < count; i++)
			fuzz_must(memcmp(want[i], got[i], k[i].n) == 0,
			    "is that of OpenSSL");
	}
	return 0;
}
