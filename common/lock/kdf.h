#ifndef LOCK_KDF_H
#define LOCK_KDF_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Password-based key derivations, as OpenSSL's PKCS12_key_gen_uni() and
 * PKCS5_PBKDF2_HMAC() do them, but for SHA-1 and SHA-256 two to three times as
 * fast: OpenSSL 3 goes through its provider for each of thousands of hashes
 * (PEERS.md 3a), this goes to its compression functions at once.  Other hashes
 * are OpenSSL's from end to end.
 */

/* One derivation: what goes in, and where n bytes of it go. */
struct kdf {
	const EVP_MD *md;
	const uint8_t *pass, *salt;
	size_t npass, nsalt;
	int64_t rounds; /* 1 or more */
	/*
	 * PKCS12_KEY_ID, PKCS12_IV_ID or PKCS12_MAC_ID: RFC 7292 appendix B.2,
	 * pass is UTF-16BE with its terminator; 0: PBKDF2, RFC 8018 section 5.2
	 */
	int id;
	uint8_t *out;
	size_t n;
};

/*
 * Derives all of them.  A processor does two or three in little more than the
 * time of one, which keeps it waiting most of the time.  Returns 1, or 0.
 */
int kdf_derive(const struct kdf *, size_t count);

#endif
