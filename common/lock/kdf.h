#ifndef LOCK_KDF_H
#define LOCK_KDF_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Derives keys from passwords as OpenSSL's PKCS12_key_gen_uni() and
 * PKCS5_PBKDF2_HMAC() do.  With SHA-1 and SHA-256 many derivations are done
 * side by side, in the way that is fastest on this processor: in the lanes of
 * its vector registers (lock/lanes.h), or in turn by OpenSSL's compression
 * functions; going through its providers for each of thousands of hashes would
 * double the time (PEERS.md 3a).  Other hashes are OpenSSL's from end to end.
 */

/* One derivation: its input, and where its n bytes go. */
struct kdf {
	const EVP_MD *md;
	const uint8_t *pass, *salt;
	size_t npass, nsalt;
	int64_t rounds; /* 1 or more */
	/*
	 * PKCS12_KEY_ID, PKCS12_IV_ID or PKCS12_MAC_ID (RFC 7292 appendix B.2),
	 * with pass in UTF-16BE with its terminator; 0: PBKDF2 (RFC 8018
	 * section 5.2).
	 */
	int id;
	uint8_t *out;
	size_t n;
};

/* Derives all of them, in any order.  Returns 1, or 0 if libcrypto failed. */
int kdf_derive(const struct kdf *, size_t count);

/* Returns how many derivations with this hash cost little more than one. */
size_t kdf_width(const EVP_MD *);

/*
 * For tests: 0 uses only OpenSSL's compression functions, i the way lanes_way(i
 * - 1), -1 the fastest.  Returns 1, or 0 if there is no such way.
 */
int kdf_use(int way);

#endif
