/* Key derivations: ours give what OpenSSL's do. */

#include <openssl/pkcs12.h>
#include <string.h>

#include "fuzz.h"
#include "kdf.h"

#define OUT_MAX 100 /* more than three hashes */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const EVP_MD *mds[] = { EVP_sha1(), EVP_sha256(), EVP_md5() };
	uint8_t want[OUT_MAX], got[OUT_MAX];
	struct kdf_in in;
	size_t len, pass;
	int id;

	if (n < 6)
		return 0;
	in.md = mds[p[0] % 3];
	in.rounds = 1 + (p[1] | p[2] << 8) % 700;
	len = 1 + p[3] % OUT_MAX;
	id = 1 + p[4] % 3;
	pass = p[5];
	p += 6;
	n -= 6;
	in.pass = p;
	in.npass = pass < n ? pass : n;
	in.salt = p + in.npass;
	in.nsalt = n - in.npass;
	fuzz_must(kdf_pbkdf2(&in, got, len) &&
		PKCS5_PBKDF2_HMAC((const char *)in.pass, (int)in.npass, in.salt,
		    (int)in.nsalt, (int)in.rounds, in.md, (int)len, want) &&
		memcmp(want, got, len) == 0,
	    "PBKDF2 is that of OpenSSL");
	fuzz_must(kdf_pkcs12(&in, id, got, len) &&
		PKCS12_key_gen_uni((uint8_t *)in.pass, (int)in.npass,
		    (uint8_t *)in.salt, (int)in.nsalt, id, (int)in.rounds,
		    (int)len, want, in.md) &&
		memcmp(want, got, len) == 0,
	    "the derivation of PKCS#12 is that of OpenSSL");
	return 0;
}
