#ifndef KDF_H
#define KDF_H

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

struct kdf_in {
	const EVP_MD *md;
	const uint8_t *pass, *salt;
	size_t npass, nsalt;
	int64_t rounds; /* 1 or more */
};

/*
 * n bytes of RFC 7292 appendix B.2; pass is UTF-16BE with its terminator, id is
 * PKCS12_KEY_ID, PKCS12_IV_ID or PKCS12_MAC_ID.  Returns 1, or 0.
 */
int kdf_pkcs12(const struct kdf_in *, int id, uint8_t *out, size_t n);

/* n bytes of PBKDF2, RFC 8018 section 5.2.  Returns 1, or 0. */
int kdf_pbkdf2(const struct kdf_in *, uint8_t *out, size_t n);

#endif
