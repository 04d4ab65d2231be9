#ifndef LOCK_KDF_H
#define LOCK_KDF_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Password-based key derivations, as OpenSSL's PKCS12_key_gen_uni() and
 * PKCS5_PBKDF2_HMAC() do them.  With SHA-1 and SHA-256 many are done side by
 * side, in the way that is fastest on this processor: in the lanes of its vector
 * registers (lock/lanes.h), or some in turn by OpenSSL's compression functions;
 * its providers alone, gone through for each of thousands of hashes, would
 * double that (PEERS.md 3a).  Other hashes are OpenSSL's from end to end.
 */

/* One derivation: what goes in, and where n bytes of it go. */
struct kdf {
	const EVP_MD *md;
	const uint8_t *pass, *salt;
	size_t npass, nsalt;
	int64_t rounds; /* 1 or more */
	/*
	 * PKCS12_KEY_ID, PKCS12_IV_ID or PKCS12_MAC_ID (RFC 7292 appendix B.2):
	 * pass is UTF-16BE with its terminator.  0 is PBKDF2 (RFC 8018 section
	 * 5.2).
	 */
	int id;
	uint8_t *out;
	size_t n;
};

/* Derives all of them, in any order.  Returns 1, or 0: libcrypto failed. */
int kdf_derive(const struct kdf *, size_t count);

/* How many derivations with this hash cost little more than one. */
size_t kdf_width(const EVP_MD *);

/*
 * For tests: 0 uses OpenSSL's compression functions only, 1 and more the way of
 * lanes_way() before it, -1 the fastest.  Returns 1, or 0: it is not there.
 */
int kdf_use(int way);

#endif
